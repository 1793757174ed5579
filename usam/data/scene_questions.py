"""Questions about scenes, and the answers that what is true of them gives, in sentences a person would
say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
    same_name,
)
from usam.data.scenes import Part, Scene
from usam.schema.answer import NO_SPEECH, NOTHING, UNTOLD
from usam.schema.segments import Kind

_WHO = (
    "Who is speaking?",
    "Is it a man or a woman?",
    "Is the speaker a man, a woman or a child?",
    "Who talks?",
    "Is the voice male or female?",
    "Is a man or a woman speaking?",
    "What kind of voice is this?",
)
_LANGUAGE = (
    "Which language is spoken?",
    "What language is this?",
    "In which language does the person speak?",
    "What language do they speak?",
    "Is this English?",
)
_FIRST = (
    "What comes first?",
    "What do you hear first?",
    "What is heard at the beginning?",
    "How does the clip begin?",
)
_LAST = ("What comes last?", "What do you hear last?", "What is heard at the end?", "How does the clip end?")
_AFTER = ("What comes after {}?", "What do you hear after {}?", "What follows {}?")
_BEFORE = ("What comes before {}?", "What do you hear before {}?")
_ORDER = (
    "Describe what you hear in order.",
    "What happens in this clip?",
    "List what you hear, in order.",
    "Describe the clip from beginning to end.",
)
_COUNT = ("How many different things do you hear?", "How many parts does the clip have?")
_BEHIND = (
    "What is in the background?",
    "What do you hear behind the speech?",
    "What else is heard?",
    "Is there anything in the background?",
)
_PLACE = ("Where is this?", "Where was this recorded?", "What place does it sound like?")
_TEMPO = ("Is the music fast or slow?", "What is the tempo?", "How fast is the music?")
_GENRE = ("What genre is this?", "What kind of music is this?", "Which style of music is it?")
_MOOD = ("What is the mood of the music?", "How does the music feel?")
_SINGING = ("Is someone singing?", "Are there vocals?", "Do you hear a singer?")
_HEAR = ("Do you hear {}?", "Is this {}?", "Can you hear {}?", "Is there {} in this clip?", "Is that {}?")
_MENTION = ("Does the speaker mention {}?", 'Is the word "{}" said?', "Does anyone say {}?")
_UNTOLD = (
    "How tall is the speaker?",
    "What is the speaker's name?",
    "Who wrote Hamlet?",
    "What colour is it?",
    "How old is the building?",
    "What day is it?",
    "What is the capital of France?",
    "Who recorded this?",
    "What does the speaker look like?",
    "How much does it cost?",
    "What is the weather like tomorrow?",
    "Which brand is it?",
    "When was this recorded?",
    "What is the person wearing?",
    "What is two plus two?",
    "Who is the president?",
    "How much does the speaker weigh?",
    "What is the speaker's phone number?",
    "What will happen next?",
    "What did the speaker eat for breakfast?",
    "How many people live in this city?",
    "What is the dog's name?",
    "Which city was this recorded in?",
    "Who composed this?",
    "What is his job?",
    "What colour is the car?",
    "How old is the dog?",
    "What time is it?",
    "Who invented the telephone?",
    "What is the meaning of life?",
    "Which microphone was used?",
    "What does the room look like?",
)
GENRES = frozenset(
    "classical techno electronic rock ambient opera pop country metal indian jazz disco blues reggae".split()
) | {"new age", "hip hop"}
TEMPI = frozenset({"slow", "fast"})
MOODS = frozenset({"quiet", "loud", "soft"})
VERBS = {  # what a person would say of it, by the last word of its name
    **dict.fromkeys(("dog", "wolf"), "barks"), "cat": "meows", "bird": "sings", "rooster": "crows",
    "cow": "moos", "frog": "croaks", "owl": "hoots", "baby": "cries", "siren": "wails", "alarm": "goes off",
    **dict.fromkeys(("bell", "telephone", "phone", "doorbell"), "rings"), "clock": "ticks",
    **dict.fromkeys(("car", "train"), "passes"), "engine": "runs", "thunder": "rolls", "rain": "falls",
    "wind": "blows",
}  # fmt: skip
VOICES = frozenset({"vocal", "singing", "male voice", "female voice", "choir"})


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


def listed(names: Sequence[str], last: str = "or") -> str:
    """`a dog`; `a dog or a wolf`; `a dog, a wolf or a fox`."""
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def some(names: Sequence[str], count: int, random: Random) -> list[str]:
    """At most `count` of the names."""
    return random.sample(list(names), min(count, len(names)))


def what(part: Part) -> str:
    """The part as the object of "I hear"."""
    if part.kind == "speech":
        who = f"a {part.speaker}" if part.speaker else "someone"
        return f"{who} speaking" + (
            f" {part.language}" if part.language and part.language != "English" else ""
        )
    if not part.names:
        return "music" if part.kind == "music" else "a sound"
    return listed([article(name) for name in part.names[:3]])


def sentence(part: Part) -> str:
    """The part in a sentence without its full stop."""
    if part.kind == "speech":
        who = f"a {part.speaker}" if part.speaker else "someone"
        return f"{who} says: {part.text.rstrip('.')}" if part.text else f"{who} speaks"
    if part.kind == "music":
        manner = [tag for tag in part.tags if tag in TEMPI | MOODS][:2]
        playing = f"music with {what(part)} plays" if part.names else "music plays"
        return playing + (f", {listed(manner, 'and')}" if manner else "")
    if not part.names:
        return "a sound is heard"
    verb = VERBS.get(part.names[0].split()[-1])
    return f"{what(part)} {verb}" if verb else f"the sound of {what(part)} is heard"


def background(part: Part) -> str:
    """What is behind the speech: its names, or its kind where nobody could tell them."""
    if part.behind:
        return listed([article(name) for name in part.behind[:2]])
    return "music" if part.behind_kind == "music" else "a sound"


def stopped(text: str) -> str:
    """As a sentence: with a capital, and a full stop unless what is quoted last ends it."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(("!", "?", "…")) else ".")


class SceneInstructor:
    """Draws one question about a scene with its answer."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def draw(self, scene: Scene, random: Random) -> Instruction:
        if not scene.parts:
            return self.nothing(random)
        choice = random.random()
        if choice < 0.05:
            return Instruction("untold", random.choice(_UNTOLD), UNTOLD)
        real = scene.tokens is not None
        speech = [part for part in scene.parts if part.kind == "speech"]
        mixed = [part for part in scene.parts if part.behind_kind]
        if mixed and random.random() < 0.45:
            return self.mixture(scene.parts, random.choice(mixed), real, random)
        if choice < 0.11 and not speech:
            return Instruction(
                "nospeech", random.choice(TRANSCRIBE + TRANSLATE + _WHO[:1] + _LANGUAGE[:2]), NO_SPEECH
            )
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
            "nothing", random.choice(TRANSCRIBE + SOUND + MUSIC + OPEN + KIND + _ORDER + _WHO), NOTHING
        )

    def transcript(self, speech: Sequence[Part], random: Random) -> Instruction:
        text = " ".join(part.text for part in speech if part.text)
        if not text:
            return Instruction("kind", random.choice(KIND), "This is speech.")
        if random.random() < 0.12:
            return Instruction("s2tt", random.choice(TRANSLATE), text)
        return Instruction("asr", random.choice(TRANSCRIBE), text)

    def order(self, parts: Sequence[Part], random: Random) -> Instruction:
        draw = random.random()
        if draw < 0.2:
            return Instruction("first", random.choice(_FIRST), stopped(sentence(parts[0])))
        if draw < 0.4:
            return Instruction("last", random.choice(_LAST), stopped(sentence(parts[-1])))
        if draw < 0.75:
            index = random.randrange(len(parts) - 1)
            one, two = parts[index], parts[index + 1]
            if random.random() < 0.7:
                about = self.brief(one, parts, random)
                return Instruction("after", random.choice(_AFTER).format(about), stopped(sentence(two)))
            about = self.brief(two, parts, random)
            return Instruction("before", random.choice(_BEFORE).format(about), stopped(sentence(one)))
        if draw < 0.79:
            count = {2: "two", 3: "three", 4: "four"}.get(len(parts), str(len(parts)))
            listing = listed([what(part) for part in parts], "and")
            return Instruction("count", random.choice(_COUNT), stopped(f"{count}: {listing}"))
        listing = ", then ".join(sentence(part) for part in parts)
        return Instruction("order", random.choice(_ORDER + OPEN), stopped(listing))

    @staticmethod
    def brief(part: Part, parts: Sequence[Part], random: Random) -> str:
        """How a question refers to a part: by its name, or by its kind where no other is of that kind."""
        alone = sum(one.kind == part.kind for one in parts) == 1
        name = part.speaker if part.kind == "speech" else next(iter(part.names), None)
        return f"the {part.kind}" if name is None or (alone and random.random() < 0.5) else f"the {name}"

    def mixture(self, parts: Sequence[Part], part: Part, real: bool, random: Random) -> Instruction:
        """About speech and what is behind it: which kinds, what it is, and whether it is there."""
        draw = random.random()
        if draw < 0.45:
            return self.kind(parts, random)
        if draw < 0.65:
            return self.yes_no(parts, real, random)
        return Instruction("behind", random.choice(_BEHIND), stopped(background(part)))

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
        heard = listed([what(part) for part in parts], "and")
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
                    random.choice(_MENTION).format(random.choice(own) if yes else others[0]),
                    f"{verdict}.",
                )
        about = [kind for kind in ("speech", "music") if (kind in kinds) == yes]
        if draw < 0.75 or not about:
            mine = [name for part in parts for name in (*part.names[:1], *part.behind[:1])]
            every = [name for part in parts for name in (*part.names, *part.behind)]
            pool = self.names.absent(random.choice(parts).kind, real)
            others = [name for name in some(pool, 8, random) if not same_name(name, every)]
            asked = random.choice(mine) if yes and mine else others[0] if not yes and others else None
            if asked:
                return Instruction(
                    "named",
                    random.choice(_HEAR).format(article(asked)),
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
            return Instruction("who", random.choice(_WHO), f"A {part.speaker} is speaking.")
        if draw < 0.55 and part.language:
            question = random.choice(_LANGUAGE)
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
            return Instruction("place", random.choice(_PLACE), f"It sounds like {part.place}.")
        if random.random() < 0.4:
            return Instruction("open", random.choice(OPEN), stopped(sentence(part)))
        return Instruction("sound", random.choice(SOUND), f"I hear {what(part)}.")

    def music(self, part: Part, random: Random) -> Instruction:
        draw = random.random()
        tags = set(part.tags)
        if draw < 0.15 and tags & TEMPI:
            return Instruction("tempo", random.choice(_TEMPO), f"The music is {min(tags & TEMPI)}.")
        if draw < 0.25 and tags & GENRES:
            genre = next(tag for tag in part.tags if tag in GENRES)
            return Instruction("genre", random.choice(_GENRE), f"It sounds like {genre} music.")
        if draw < 0.3 and tags & MOODS:
            return Instruction("mood", random.choice(_MOOD), f"The music is {min(tags & MOODS)}.")
        if draw < 0.38:
            singing = bool(tags & VOICES)
            return Instruction(
                "singing",
                random.choice(_SINGING),
                "Yes, someone is singing." if singing else "No, nobody is singing.",
            )
        group = family(part.names[0]) if part.names else None
        if draw < 0.5 and group:
            return Instruction("family", random.choice(FAMILY), f"{group.capitalize()}.")
        if draw < 0.7:
            return Instruction("open", random.choice(OPEN), stopped(sentence(part)))
        return Instruction("music", random.choice(MUSIC), f"I hear {what(part)}.")
