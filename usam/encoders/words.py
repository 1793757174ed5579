"""Words of the specialists: what a frozen encoder's own head says about a clip, with times.

Each specialist was trained on far more audio than the adapter will ever see, and has a head that names what
it hears: Whisper's decoder, YAMNet's classes, musicnn's tags. Their words are laid into the audio tokens
(`usam.adapter.words`); none of them is ever written into the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from usam.encoders.base import Role
from usam.schema.segments import KINDS, Kind
from usam.schema.tasks import SpeechRequest
from usam.schema.words import Word


@dataclass(frozen=True)
class Heard:
    """What is known of a clip when a specialist is asked for words.

    waveform: [samples] at 16 kHz, on the CPU. frames: by role, each [T, D] at its encoder's rate. speech:
    spans (s) in which someone speaks. request: what the question wants of speech. sounds: what the audio
    specialist hears, if there is one. thorough: whether all that may be said is wanted: words that were
    hardly made out, and a second look where few were found. kinds, names: what all encoders together make
    of it, if heads of the adapter tell.
    """

    waveform: Tensor
    frames: Mapping[Role, Tensor]
    speech: tuple[tuple[float, float], ...] = ()
    request: SpeechRequest = SpeechRequest()
    sounds: SoundScores | None = None
    thorough: bool = False
    kinds: KindScores | None = None
    names: NameScores | None = None


@dataclass(frozen=True)
class SoundScores:
    """Probabilities [T, C] of the audio specialist's classes over time, `rate` rows a second."""

    scores: Tensor
    classes: tuple[str, ...]
    rate: float


@dataclass(frozen=True)
class KindScores:
    """Scores [N, 3] of KINDS over time, above 0 where a kind is heard, a row for every `seconds`."""

    scores: Tensor
    seconds: float

    def mean(self, kind: Kind, start: float, end: float) -> float:
        """Of the rows between two times (s), at least one."""
        return float(_between(self.scores, self.seconds, start, end)[KINDS.index(kind)])


@dataclass(frozen=True)
class NameScores:
    """Scores [N, C] of names of sounds and instruments over time, a row for every `seconds`, about 1 for the
    name that is right. kinds: what each name is one of. slope, offset: of the logarithm of a score, give the
    log-odds that the name is right."""

    scores: Tensor
    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    seconds: float
    slope: float
    offset: float

    def between(self, start: float, end: float) -> Tensor:
        """How probable each name is [C] between two times (s)."""
        mean = _between(self.scores, self.seconds, start, end)
        return torch.sigmoid(self.slope * mean.clamp_min(1e-4).log() + self.offset)


def _between(scores: Tensor, seconds: float, start: float, end: float) -> Tensor:
    """The mean of the rows, one for every `seconds`, between two times (s), of one at least."""
    first = min(len(scores) - 1, int(start / seconds))
    return scores[first : max(first + 1, round(end / seconds))].mean(0)


class WordStream(Protocol):
    """A specialist's head. An encoder may bring one of its own, or none.

    reads_frames: whether it needs the encoders' frames; one that does not is asked while they are computed.
    weighs_kinds: whether it asks which kinds are heard, and is to wait for the frames where a head tells.
    """

    role: Role
    reads_frames: bool
    weighs_kinds: bool

    def words(self, heard: Heard) -> list[Word]:
        """What it says about the clip, as it is to be read."""
        ...


def spans(
    active: Tensor, rate: float, reach: float = 0.0, gap: float = 0.0
) -> tuple[tuple[float, float], ...]:
    """Where `active` [T] (bool, `rate` a second) holds, as (start, end) in seconds.

    Each is widened by `reach` seconds on both sides; those less than `gap` seconds apart become one.
    """
    found: list[tuple[float, float]] = []
    edges = torch.diff(
        active.int(), prepend=torch.zeros(1, dtype=torch.int), append=torch.zeros(1, dtype=torch.int)
    )
    starts, ends = (edges == 1).nonzero().flatten().tolist(), (edges == -1).nonzero().flatten().tolist()
    for first, last in zip(starts, ends, strict=True):
        start, end = max(0.0, first / rate - reach), min(len(active) / rate, last / rate + reach)
        if found and start - found[-1][1] <= gap:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)
