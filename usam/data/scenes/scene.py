"""Scenes: what is true of a clip, part by part, and what the specialists say of it.

A scene is one labelled clip, several in a row, or one imagined from text alone: pseudo-clips of words need no
audio and no encoder, so there can be any number of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

import torch
from torch import Tensor

from usam.encoders.heads.sound_names import bracketed
from usam.schema.segments import Kind
from usam.schema.words import Word

SECONDS_A_WORD = 0.32


@dataclass(frozen=True)
class Part:
    """One stretch of a scene with one kind of audio.

    names: of the sound or the instrument, the true one first, then what else it may be called. text: the
    words of speech as they are to be written. speaker: man, woman or child; language: its English name.
    tags: of music. behind: names of what sounds at the same time; behind_kind its kind.
    """

    kind: Kind
    names: tuple[str, ...] = ()
    text: str = ""
    speaker: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    place: str | None = None
    behind: tuple[str, ...] = ()
    behind_kind: Kind | None = None


@dataclass(frozen=True)
class Scene:
    """Parts in order of time, the words of each expert, and the Q-Former's tokens [L, H] of real audio."""

    parts: tuple[Part, ...]
    words: tuple[tuple[Word, ...], ...]
    seconds: float
    tokens: Tensor | None = field(default=None, repr=False)


def joined(scenes: Sequence[Scene], token_seconds: float) -> Scene:
    """Scenes one after the other, each beginning with a token."""
    words: list[list[Word]] = [[] for _ in scenes[0].words]
    tokens: list[Tensor] = []
    at = 0.0
    for scene in scenes:
        for mine, theirs in zip(words, scene.words, strict=True):
            mine += [replace(word, start=word.start + at, end=word.end + at) for word in theirs]
        if scene.tokens is not None:
            tokens.append(scene.tokens)
        at += token_count(scene, token_seconds) * token_seconds
    parts = tuple(part for scene in scenes for part in scene.parts)
    whole = torch.cat(tokens) if len(tokens) == len(scenes) else None
    return Scene(parts, tuple(map(tuple, words)), at, whole)


def token_count(scene: Scene, token_seconds: float) -> int:
    """Tokens of a scene: those there are, or as many as its length takes; at least one."""
    if scene.tokens is not None:
        return len(scene.tokens)
    return max(1, math.ceil(scene.seconds / token_seconds))


def spoken(
    text: str, language: str, speaker: str | None, start: float, random: Random, confident: float = 0.9
) -> tuple[list[Word], float]:
    """Words of a speaker as the speech specialist gives them, and when (s) they end."""
    marks = [Word(start, start, speaker, confident, " [", "")] if speaker else []
    marks.append(Word(start, start, language, confident, ", " if speaker else " [", "]"))
    words, at = marks, start
    for word in text.split():
        length = SECONDS_A_WORD * random.uniform(0.6, 1.4)
        words.append(Word(at, at + length, word, confident, " "))
        at += length
    return words, at


def named(
    names: Sequence[str], start: float, end: float, random: Random, opening: str = "(", closing: str = ")"
) -> list[Word]:
    """Names as the sound or the music specialist gives them."""
    sure = random.uniform(0.3, 0.95)
    fading = [(name, sure * 0.6**index) for index, name in enumerate(names)]
    return bracketed(start, end, fading, opening, closing)
