"""Questions about scenes, and the answers that what is true of them gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from usam.data.instructions import (
    FAMILY,
    KIND,
    MUSIC,
    OPEN,
    PLAYING,
    SOUND,
    SPEAKING,
    TRANSCRIBE,
    TRANSLATE,
    Instruction,
    article,
    family,
)
from usam.data.scenes.free_questions import casual, free_question
from usam.data.scenes.scene import Part, Scene
from usam.data.scenes.sentences import (
    background,
    brief,
    counted,
    heard_in,
    in_order,
    sentence,
    some,
    stopped,
    unheard,
    what,
)
from usam.data.scenes.wordings import (
    AFTER,
    BEFORE,
    BEHIND,
    COUNT,
    FIRST,
    GENRE,
    GENRES,
    HEAR,
    LANGUAGE,
    LAST,
    MENTION,
    MOOD,
    MOODS,
    ORDER,
    PLACE,
    SINGING,
    SOURCE,
    SUMMARY,
    TEMPI,
    TEMPO,
    UNTOLD_QUESTIONS,
    VOICES,
    WHO,
)
from usam.schema.answer import NO_SPEECH, NOTHING, UNTOLD
from usam.schema.segments import Kind

FREE_SHARE = 0.4  # of questions, about a scene that holds something


@dataclass(frozen=True)
class Names:
    """What may be asked about that is not in a scene: names of sounds, of instruments, and words of speech.

    labels: those that real clips have. words: as often as they are said, and names as often as scenes have
    them, so that no question tells its answer.
    """

    sounds: Sequence[str]
    instruments: Sequence[str]
    words: Sequence[str]
    sound_labels: Sequence[str] = ()
    instrument_labels: Sequence[str] = ()

    def absent(self, kind: Kind, real: bool) -> Sequence[str]:
        """Names to ask about in vain, for a part of this kind in an imagined or a real clip."""
        if kind == "music":
            return (real and self.instrument_labels) or self.instruments
        return (real and self.sound_labels) or self.sounds


class SceneInstructor:
    """Draws one question about a scene with its answer."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def draw(self, scene: Scene, random: Random) -> Instruction:
        drawn = self.whole(scene, random)
        return replace(drawn, question=casual(drawn.question, random))

    def whole(self, scene: Scene, random: Random) -> Instruction:
        """With the question in a whole sentence."""
        if not scene.parts:
            return self.nothing(random)
        real = scene.tokens is not None
        if random.random() < FREE_SHARE:
            about = random.choice(scene.parts)
            return free_question(scene.parts, self.names.absent(about.kind, real), random)
        choice = random.random()
        if choice < 0.05:
            return Instruction("untold", random.choice(UNTOLD_QUESTIONS), UNTOLD)
        speech = [part for part in scene.parts if part.kind == "speech"]
        mixed = [part for part in scene.parts if part.behind_kind]
        if mixed and random.random() < 0.45:
            return self.mixture(scene.parts, random.choice(mixed), real, random)
        if choice < 0.11 and not speech:
            return Instruction("nospeech", random.choice(TRANSCRIBE + TRANSLATE + WHO + LANGUAGE), NO_SPEECH)
        if choice < (0.55 if len(scene.parts) == 1 else 0.3) and speech:
            return self.transcript(speech, random)
        if len(scene.parts) > 1 and choice < 0.75:
            return self.order(scene.parts, random)
        if choice > 0.82:
            return self.kind(scene.parts, random)
        part = random.choice(scene.parts)
        if random.random() < 0.3:
            return self.yes_no(scene.parts, real, random)
        if part.kind == "speech":
            return self.speech(part, real, random)
        return self.sound(part, random) if part.kind == "sound" else self.music(part, random)

    def nothing(self, random: Random) -> Instruction:
        if random.random() < 0.25:
            return Instruction("yesno", random.choice(SPEAKING + PLAYING), f"No. {NOTHING}")
        return Instruction(
            "nothing",
            random.choice(TRANSCRIBE + SOUND + MUSIC + OPEN + KIND + ORDER + WHO + SUMMARY + SOURCE),
            NOTHING,
        )

    def transcript(self, speech: Sequence[Part], random: Random) -> Instruction:
        text = " ".join(part.text for part in speech if part.text)
        if not text:
            return Instruction("kind", random.choice(KIND), "This is speech.")
        foreign = any(part.language not in (None, "English") for part in speech)
        if random.random() < (0.4 if foreign else 0.12):
            return Instruction("s2tt", random.choice(TRANSLATE), text)
        return Instruction("asr", random.choice(TRANSCRIBE), text)

    def order(self, parts: Sequence[Part], random: Random) -> Instruction:
        draw = random.random()
        if draw < 0.2:
            return Instruction("first", random.choice(FIRST), stopped(sentence(parts[0])))
        if draw < 0.4:
            return Instruction("last", random.choice(LAST), stopped(sentence(parts[-1])))
        if draw < 0.75:
            index = random.randrange(len(parts) - 1)
            one, two = parts[index], parts[index + 1]
            if random.random() < 0.7:
                about = brief(one, parts, random)
                return Instruction("after", random.choice(AFTER).format(about), stopped(sentence(two)))
            about = brief(two, parts, random)
            return Instruction("before", random.choice(BEFORE).format(about), stopped(sentence(one)))
        if draw < 0.79:
            answer = stopped(f"{counted(len(parts))}: {heard_in(parts)}")
            return Instruction("count", random.choice(COUNT), answer)
        return Instruction("order", random.choice(ORDER + OPEN), stopped(in_order(parts)))

    def mixture(self, parts: Sequence[Part], part: Part, real: bool, random: Random) -> Instruction:
        """About speech and what is behind it: which kinds, what it is, and whether it is there."""
        draw = random.random()
        if draw < 0.45:
            return self.kind(parts, random)
        if draw < 0.65:
            return self.yes_no(parts, real, random)
        return Instruction("behind", random.choice(BEHIND), stopped(background(part)))

    def kind(self, parts: Sequence[Part], random: Random) -> Instruction:
        words = {"speech": "speech", "sound": "a sound", "music": "music"}
        if len(parts) == 1 and parts[0].behind_kind:
            return Instruction(
                "mixture",
                random.choice(KIND),
                f"This is speech with {words[parts[0].behind_kind]} behind it.",
            )
        kinds = [words[kind] for kind in dict.fromkeys(part.kind for part in parts)]
        return Instruction("kind", random.choice(KIND), f"This is {', then '.join(kinds)}.")

    def yes_no(self, parts: Sequence[Part], real: bool, random: Random) -> Instruction:
        """As often yes as no, about kinds, named things and words that are said."""
        yes = random.random() < 0.5
        verdict = "Yes" if yes else "No"
        heard = heard_in(parts)
        if parts[0].behind_kind:
            heard += f" with {background(parts[0])} behind it"
        draw = random.random()
        texts = [part.text for part in parts if part.text]
        kinds = {part.kind for part in parts} | {part.behind_kind for part in parts}
        if draw < 0.45 and texts:
            every = [word.strip(".,?!;:\"'").lower() for text in texts for word in text.split()]
            own = [word for word in every if len(word) > 3 and word.isalpha()]
            others = [word for word in some(self.names.words, 6, random) if word not in every]
            if own and others:
                return Instruction(
                    "mention",
                    random.choice(MENTION).format(random.choice(own) if yes else others[0]),
                    f"{verdict}.",
                )
        about = [kind for kind in ("speech", "music") if (kind in kinds) == yes]
        if draw < 0.75 or not about:
            mine = [name for part in parts for name in (*part.names[:1], *part.behind[:1])]
            pool = self.names.absent(random.choice(parts).kind, real)
            others = unheard(pool, parts, random)
            asked = random.choice(mine) if yes and mine else others[0] if not yes and others else None
            if asked:
                return Instruction(
                    "named",
                    random.choice(HEAR).format(article(asked)),
                    f"{verdict}, I hear {heard if not yes else article(asked)}.",
                )
        asked = random.choice(about or ["speech"])
        verdict = "Yes" if asked in kinds else "No"
        return Instruction(
            "yesno", random.choice(SPEAKING if asked == "speech" else PLAYING), f"{verdict}, I hear {heard}."
        )

    def speech(self, part: Part, real: bool, random: Random) -> Instruction:
        draw = random.random()
        if draw < 0.35 and part.speaker:
            return Instruction("who", random.choice(WHO), f"A {part.speaker} is speaking.")
        if draw < 0.55 and part.language:
            question = random.choice(LANGUAGE)
            if question == "Is this English?":
                answer = (
                    "Yes, this is English." if part.language == "English" else f"No, this is {part.language}."
                )
                return Instruction("language", question, answer)
            return Instruction("language", question, f"The language is {part.language}.")
        words = [re.sub(r"[^\w'-]", "", word) for word in part.text.split()]
        if draw < 0.65 and len(words) > 1 and words[0] and words[-1]:
            first = random.random() < 0.5
            return Instruction(
                "word",
                random.choice(("What is the {} word?", "Which word is said {}?")).format(
                    "first" if first else "last"
                ),
                f"{words[0] if first else words[-1]}.",
            )
        if draw < 0.8:
            return self.yes_no([part], real, random)
        about = f" Behind it is {background(part)}." if part.behind_kind else ""
        return Instruction("open", random.choice(OPEN), stopped(sentence(part)) + about)

    def sound(self, part: Part, random: Random) -> Instruction:
        if part.place and random.random() < 0.3:
            return Instruction("place", random.choice(PLACE), f"It sounds like {part.place}.")
        if random.random() < 0.4:
            return Instruction("open", random.choice(OPEN), stopped(sentence(part)))
        return Instruction("sound", random.choice(SOUND), f"I hear {what(part)}.")

    def music(self, part: Part, random: Random) -> Instruction:
        draw = random.random()
        tags = set(part.tags)
        if draw < 0.15 and tags & TEMPI:
            return Instruction("tempo", random.choice(TEMPO), f"The music is {min(tags & TEMPI)}.")
        if draw < 0.25 and tags & GENRES:
            genre = next(tag for tag in part.tags if tag in GENRES)
            return Instruction("genre", random.choice(GENRE), f"It sounds like {genre} music.")
        if draw < 0.3 and tags & MOODS:
            return Instruction("mood", random.choice(MOOD), f"The music is {min(tags & MOODS)}.")
        if draw < 0.38:
            singing = bool(tags & VOICES)
            return Instruction(
                "singing",
                random.choice(SINGING),
                "Yes, someone is singing." if singing else "No, nobody is singing.",
            )
        group = family(part.names[0]) if part.names else None
        if draw < 0.5 and group:
            return Instruction("family", random.choice(FAMILY), f"{group.capitalize()}.")
        if draw < 0.7:
            return Instruction("open", random.choice(OPEN), stopped(sentence(part)))
        return Instruction("music", random.choice(MUSIC), f"I hear {what(part)}.")
