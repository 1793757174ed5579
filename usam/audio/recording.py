"""A whole recording as spans that can be heard one after another, cut where it is quietest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from usam.audio.clip import AudioSource, load_clip
from usam.audio.samples import SAMPLE_RATE

LONGEST = 30.0  # seconds of a span
SHORTEST = 18.0  # seconds of a span that is not the last
ROUNDING = 0.001  # seconds by which a recording may seem longer than what is heard to its end
OVERLAP = 0.5  # seconds that are heard beyond a cut, so that a word that lies across it is heard whole


@dataclass(frozen=True)
class RecordingSpan:
    """A part of a recording that counts from `start` to `end`, in seconds of the recording.

    waveform: float32 [samples] at 16 kHz, a little more than that part; `offset` is where it begins.
    duration: of the whole recording, in seconds.
    """

    waveform: Tensor
    offset: float
    start: float
    end: float
    duration: float


def recording_spans(source: AudioSource, start: float = 0.0) -> Iterator[RecordingSpan]:
    """The spans of a recording of any length, in order. Only one is held at a time. Raises AudioError.

    start: where the first one counts from, in seconds.
    """
    while True:
        clip = load_clip(source, max(0.0, start - OVERLAP), max_seconds=LONGEST)
        if clip.duration - clip.end < ROUNDING:
            yield RecordingSpan(clip.waveform, clip.start, start, clip.end, clip.duration)
            return
        cut = quietest(clip.waveform, start + SHORTEST - clip.start, LONGEST - OVERLAP)
        heard = clip.waveform[: round((cut + OVERLAP) * SAMPLE_RATE)]
        yield RecordingSpan(heard, clip.start, start, clip.start + cut, clip.duration)
        start = clip.start + cut


def quietest(waveform: Tensor, start: float, end: float) -> float:
    """The middle (s) of the quietest 0.1 s between two times (s) of a waveform [samples]."""
    size = SAMPLE_RATE // 10
    part = waveform[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
    power = part.float()[: len(part) // size * size].view(-1, size).square().mean(-1)
    return start + (int(power.argmin()) + 0.5) / 10
