"""Questions as people ask them: whether it is one or the other, how many speak, what it is about, what comes
earlier, and what no clip tells. Each is drawn for a scene, or is None where nothing true of the scene answers
it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from usam.data.instructions import Instruction, article, same_name
from usam.data.scenes.scene import Part
from usam.data.scenes.sentences import (
    background,
    brief,
    counted,
    heard_in,
    in_order,
    listed,
    stopped,
    unheard,
    what,
)
from usam.data.scenes.wordings import (
    BEHIND,
    CHOICE,
    EARLIER,
    FEELINGS,
    GENRE,
    GENRES,
    INSIDE,
    INSTRUMENTS,
    LANGUAGE_IS,
    LANGUAGES,
    MOOD,
    MOODS,
    MUSIC_BEHIND,
    OPINIONS,
    PEOPLE,
    SINGING,
    SOURCE,
    SPEAKER_IS,
    SPEAKER_WORDS,
    SUMMARY,
    TEMPI,
    TEMPO,
    TOPIC,
    VOICE_IS,
    VOICE_WORDS,
    WHICH_FIRST,
    WHICH_LAST,
)
from usam.schema.answer import NO_MUSIC, NO_SPEECH, UNTOLD

Parts = Sequence[Part]
Names = Sequence[str]
Draw = Callable[[Parts, Names, Random], Instruction | None]
"""Of a scene's parts, and of names of its kind that may be asked for in vain."""

CASUAL = 0.12  # share of questions that are typed in small letters, without their mark


def summary(parts: Parts, others: Names, random: Random) -> Instruction:
    behind = [part for part in parts if part.behind_kind]
    more = f" Behind it is {background(behind[0])}." if len(parts) == 1 and behind else ""
    return Instruction("open", random.choice(SUMMARY), stopped(in_order(parts)) + more)


def source(parts: Parts, others: Names, random: Random) -> Instruction:
    return Instruction("sound", random.choice(SOURCE), f"I hear {heard_in(parts)}.")


def instruments(parts: Parts, others: Names, random: Random) -> Instruction:
    heard = [what(part) for part in parts if part.kind == "music"]
    heard += [background(part) for part in parts if part.behind_kind == "music"]
    question = random.choice(INSTRUMENTS)
    return Instruction("music", question, f"I hear {listed(heard, 'and')}." if heard else NO_MUSIC)


def manner(parts: Parts, others: Names, random: Random) -> Instruction | None:
    """How fast the music is, its style and mood: what its tags do not tell, the clip does not."""
    asked, telling = random.choice(((TEMPO, TEMPI), (GENRE, GENRES), (MOOD, MOODS)))
    music = [part for part in parts if part.kind == "music"]
    if not music and not any(part.behind_kind == "music" for part in parts):
        return Instruction("manner", random.choice((*asked, *SINGING)), NO_MUSIC)
    if music and not any(set(part.tags) & telling for part in music):
        return Instruction("manner", random.choice(asked), UNTOLD)
    return None


def speaker_is(parts: Parts, others: Names, random: Random) -> Instruction | None:
    """Whether it is a man, as often yes as no."""
    voice = random.random() < 0.3
    words: Mapping[str, Sequence[str]] = VOICE_WORDS if voice else SPEAKER_WORDS
    speakers = {part.speaker for part in parts if part.kind == "speech"}
    if len(speakers) > 1 or None in speakers:
        return None
    who = next(iter(speakers), None)
    yes = random.random() < 0.5
    asked = who if yes and who is not None and who in words else random.choice([w for w in words if w != who])
    question = random.choice(VOICE_IS if voice else SPEAKER_IS).format(random.choice(words[asked]))
    if who is None:
        return Instruction("nospeech", question, NO_SPEECH)
    return Instruction("speaker", question, f"{'Yes' if asked == who else 'No'}, a {who} is speaking.")


def people(parts: Parts, others: Names, random: Random) -> Instruction | None:
    """How many speak: voices of one kind cannot be told apart."""
    who = [part.speaker for part in parts if part.kind == "speech"]
    if not who:
        return Instruction("nospeech", random.choice(PEOPLE), NO_SPEECH)
    if None in who or len(set(who)) < len(who):
        return None
    heard = listed([f"a {one}" for one in who], "and")
    return Instruction("people", random.choice(PEOPLE), stopped(f"{counted(len(who))}: {heard}"))


def language_is(parts: Parts, others: Names, random: Random) -> Instruction | None:
    languages = {part.language for part in parts if part.kind == "speech"}
    wording = random.choice(LANGUAGE_IS)
    if not languages:
        return Instruction("nospeech", wording.format(random.choice(LANGUAGES)), NO_SPEECH)
    if len(languages) > 1 or None in languages:
        return None
    [language] = languages
    yes = random.random() < 0.5
    asked = language if yes else random.choice([one for one in LANGUAGES if one != language])
    return Instruction(
        "language", wording.format(asked), f"{'Yes' if yes else 'No'}, the language is {language}."
    )


def topic(parts: Parts, others: Names, random: Random) -> Instruction | None:
    """What is said answers what it is about: to sum it up is too much for a small language model."""
    speech = [part for part in parts if part.kind == "speech"]
    if not speech:
        return Instruction("nospeech", random.choice(TOPIC), NO_SPEECH)
    if not all(part.text for part in speech):
        return None
    return Instruction("topic", random.choice(TOPIC), stopped(in_order(speech)))


def feelings(parts: Parts, others: Names, random: Random) -> Instruction:
    spoken = any(part.kind == "speech" for part in parts)
    return Instruction("untold", random.choice(FEELINGS), UNTOLD if spoken else NO_SPEECH)


def opinions(parts: Parts, others: Names, random: Random) -> Instruction:
    return Instruction("untold", random.choice(OPINIONS), UNTOLD)


def inside(parts: Parts, others: Names, random: Random) -> Instruction:
    place = next((part.place for part in parts if part.place), None)
    return Instruction("place", random.choice(INSIDE), f"It sounds like {place}." if place else UNTOLD)


def music_behind(parts: Parts, others: Names, random: Random) -> Instruction | None:
    if any(part.kind == "music" for part in parts):
        return None
    behind = next((part for part in parts if part.behind_kind == "music"), None)
    answer = (
        f"Yes, I hear {background(behind)} behind the speech." if behind else f"No, I hear {heard_in(parts)}."
    )
    return Instruction("background", random.choice(MUSIC_BEHIND), answer)


def nothing_behind(parts: Parts, others: Names, random: Random) -> Instruction | None:
    if len(parts) > 1 or parts[0].behind_kind:
        return None
    return Instruction("background", random.choice(BEHIND), "Nothing else is heard.")


def choice(parts: Parts, others: Names, random: Random) -> Instruction | None:
    """The true name or another one."""
    mine = [name for part in parts for name in part.names[:1]]
    false = unheard(others, parts, random)
    if not mine or not false:
        return None
    name = random.choice(mine)
    both = [article(name), article(false[0])]
    random.shuffle(both)
    return Instruction("choice", random.choice(CHOICE).format(*both), f"I hear {article(name)}.")


def earlier(parts: Parts, others: Names, random: Random) -> Instruction | None:
    """Which of two parts comes first."""
    if len(parts) < 2:
        return None
    first, second = sorted(random.sample(range(len(parts)), 2))
    one, other = (brief(parts[index], parts, random) for index in (first, second))
    if same_name(one, [other]) or one == other:
        return None
    both = [one, other]
    random.shuffle(both)
    draw = random.random()
    if draw < 0.5:
        verdict = "Yes" if both[0] == one else "No"
        return Instruction(
            "earlier", random.choice(EARLIER).format(*both), f"{verdict}, {one} comes before {other}."
        )
    wording, right = (WHICH_FIRST, one) if draw < 0.75 else (WHICH_LAST, other)
    return Instruction("earlier", random.choice(wording).format(*both), stopped(right))


FREE: tuple[Draw, ...] = (
    summary, summary, summary, source, instruments, manner, speaker_is, speaker_is, speaker_is, people,
    language_is, topic, feelings, opinions, inside, music_behind, music_behind, music_behind, nothing_behind,
    choice, earlier, earlier, earlier, earlier,
)  # fmt: skip


def free_question(parts: Parts, others: Names, random: Random) -> Instruction:
    """One of these questions that something true of the parts answers."""
    draws = list(FREE)
    random.shuffle(draws)
    return next(found for draw in draws if (found := draw(parts, others, random)) is not None)


def casual(question: str, random: Random) -> str:
    """The question as it is, or now and then as one that is typed in a hurry."""
    if random.random() >= CASUAL:
        return question
    return question.rstrip("?.").lower()
