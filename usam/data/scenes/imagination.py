"""Scenes imagined from text: what the specialists would say of clips that never were.

They teach the language model to read words in audio tokens, in many languages, in sequences and mixtures,
at the price of one step of the language model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from usam.data.instructions import distinct
from usam.data.scenes.scene import Part, Scene, joined, named, spoken
from usam.data.scenes.wordings import GENRES, MOODS, TEMPI
from usam.encoders.heads.sound_names import kinds_named, opening_of
from usam.schema.segments import Kind
from usam.schema.words import Word

MARKED_ALONE = 1.0  # seconds of speech with nothing behind it that a head tells from what follows
TRANSLATED = 0.1  # share of English that is what another language was translated into
UNNAMED = 0.06  # share of sounds and music of which the specialist can say but the kind
SPEAKERS = ("man", "woman", "child")
VOICES = ("singing", "vocal", "female voice", "male voice", "choir")


@dataclass(frozen=True)
class Material:
    """What scenes are imagined from.

    texts: by the English name of their language. sounds, instruments: names. confused: names that a
    specialist may say beside a name or instead of it.
    """

    texts: Mapping[str, Sequence[str]]
    sounds: Sequence[str]
    instruments: Sequence[str]
    confused: Mapping[str, Sequence[str]]


class Imagination:
    """Draws scenes; the same random numbers give the same ones.

    background_kinds: whether the words behind speech may name but a kind, as those of `SoundNames` may.
    kind_head: whether names come with their kind, as where it is known which kinds are heard.
    """

    def __init__(
        self,
        material: Material,
        token_seconds: float,
        background_kinds: bool = False,
        kind_head: bool = False,
    ) -> None:
        self.material = material
        self.token_seconds = token_seconds
        self.background_kinds = background_kinds
        self.kind_head = kind_head

    def draw(self, random: Random) -> Scene:
        draw = random.random()
        if draw < 0.04:
            return Scene((), ((), (), ()), random.uniform(0.5, 5))
        if draw < 0.6:
            return self.one(random)
        count = random.choice((2, 2, 3))
        return joined([self.one(random, short=True) for _ in range(count)], self.token_seconds)

    def one(self, random: Random, short: bool = False) -> Scene:
        kind = random.choice(("speech", "speech", "sound", "music"))
        if kind == "speech":
            return self.speech(random, short)
        return self.sound(random) if kind == "sound" else self.music(random)

    def speech(self, random: Random, short: bool = False) -> Scene:
        others = [language for language in self.material.texts if language != "English"]
        language = random.choice(others) if others and random.random() < 0.35 else "English"
        text = random.choice(self.material.texts[language])
        limit = random.randint(4, 12) if short else random.randint(3, 32)
        text = " ".join(text.split()[:limit])
        if language == "English" and others and random.random() < TRANSLATED:
            language = random.choice(others)  # named beside the words, as where the specialist translates
        speaker = random.choice(SPEAKERS) if random.random() < 0.9 else None
        start = random.uniform(0.0, 1.0)
        words, end = spoken(text, language, speaker, start, random)
        seconds = end + random.uniform(0.1, 1.0)
        names: list[Word] = []
        tags: list[Word] = []
        behind: tuple[str, ...] = ()
        behind_kind: Kind | None = None
        begins = 0.0
        if random.random() < 0.25:
            behind_kind = "sound" if random.random() < 0.5 else "music"
            pool = self.material.sounds if behind_kind == "sound" else self.material.instruments
            name = random.choice(pool)
            heard = self.heard(name, random)
            begins = random.uniform(0, seconds / 2)
            if behind_kind == "sound" or random.random() < 0.6:
                names = self.named(heard, ("speech", behind_kind), begins, seconds, random)
                behind = truth(name, heard)[:2]
            if behind_kind == "music":
                tags = named(self.tags(name, random), begins, seconds, random, "{", "}")
            if self.background_kinds and random.random() < 0.5:  # little can be named behind speech
                names, tags, behind = self.unnamed(behind_kind, begins, seconds, random), [], ()
            if self.kind_head and not names:
                names = self.unnamed(behind_kind, begins, seconds, random)
        if self.kind_head and (not names or begins > MARKED_ALONE):
            names = [*named(["speech"], 0.0, begins if names else seconds, random), *names]
        part = Part("speech", (), text, speaker, language, behind=behind, behind_kind=behind_kind)
        return Scene((part,), (tuple(words), tuple(names), tuple(tags)), seconds)

    def sound(self, random: Random) -> Scene:
        name = random.choice(self.material.sounds)
        heard = self.heard(name, random)
        seconds = random.uniform(0.3, 8)
        place = random.choice(("a small room", "a large hall", "a public space", "a street", "the outdoors"))
        unnamed = self.kind_head and random.random() < UNNAMED
        words = (
            named(["sound"], 0.0, seconds, random)
            if unnamed
            else self.named(heard, ("sound",), 0.0, seconds, random)
        )
        where = place if random.random() < 0.15 else None
        if where:
            words.append(Word(0.0, seconds, where, 0.3, " (in ", ")"))
        part = Part("sound", () if unnamed else truth(name, heard), place=where)
        return Scene((part,), ((), tuple(words), ()), seconds)

    def music(self, random: Random) -> Scene:
        name = random.choice(self.material.instruments)
        heard = self.heard(name, random)
        tags = self.tags(name, random)
        seconds = random.uniform(1, 10)
        words = self.named(heard, ("music",), 0.0, seconds, random) if random.random() < 0.85 else []
        names = truth(name, heard if words else [t for t in tags if t == name])
        if self.kind_head and random.random() < UNNAMED:
            words, names = [], ()
            tags = [tag for tag in tags if tag != name]
        if self.kind_head and not words:
            words = named(["music"], 0.0, seconds, random)
        part = Part("music", names, tags=tuple(tags))
        return Scene((part,), ((), tuple(words), tuple(named(tags, 0.0, seconds, random, "{", "}"))), seconds)

    def named(
        self, names: Sequence[str], kinds: Sequence[Kind], start: float, end: float, random: Random
    ) -> list[Word]:
        """Names of the sound specialist, with the kinds in front where a head tells them."""
        return named(names, start, end, random, opening_of(kinds) if self.kind_head else "(")

    def unnamed(self, behind: Kind, start: float, end: float, random: Random) -> list[Word]:
        """What is said behind speech where little can be named."""
        text = kinds_named(("speech", behind)) if self.kind_head else behind
        return named([text], start, end, random)

    def heard(self, name: str, random: Random) -> list[str]:
        """What a specialist says of it: mostly its name first, then names it may be confused with."""
        others = list(self.material.confused.get(name, ())) or [random.choice(self.material.sounds)]
        random.shuffle(others)
        heard = [name, *others[: random.randint(0, 2)]]
        if len(heard) > 1 and random.random() < 0.25:
            heard[0], heard[1] = heard[1], heard[0]
        return heard

    @staticmethod
    def tags(name: str, random: Random) -> list[str]:
        tags = [name] if random.random() < 0.5 and " " not in name else []
        tags += random.sample(sorted(GENRES), random.randint(0, 2))
        if random.random() < 0.7:
            tags.append(random.choice(sorted(TEMPI)))
        if random.random() < 0.4:
            tags.append(random.choice(sorted(MOODS)))
        if random.random() < 0.3:
            tags.append(random.choice(VOICES))
        random.shuffle(tags)
        return tags[:5] or ["music"]


def truth(name: str, heard: Sequence[str]) -> tuple[str, ...]:
    """The names of an answer: what the specialist says, in its order, no two of one thing; the true one first
    if it is not among them."""
    return tuple(distinct(heard if name in heard else (name, *heard))[:3])
