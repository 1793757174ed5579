"""Recordings as they were encoded: what later questions about them need of their spans, and no more."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from usam.adapter.tokens import AudioTokens, joined
from usam.adapter.words import PlacedWord
from usam.audio.recording import ROUNDING, RecordingSpan
from usam.audio.samples import SAMPLE_RATE
from usam.errors import NumericalError
from usam.model.model import USAM
from usam.schema.tasks import SpeechRequest

KEPT_SECONDS = 3 * 3600.0
"""Of all recordings together that stay encoded; an hour takes about 70 MB."""


@dataclass(frozen=True)
class EncodedSpan:
    """The Q-Former's tokens [1, L, H] of a span (s), mask [1, L], the number of frames they come from, and
    the specialists' words on them. No question has a part in them yet."""

    start: float
    end: float
    tokens: Tensor
    mask: Tensor
    frames: int
    placed: tuple[PlacedWord, ...]


@dataclass
class EncodedRecording:
    """The spans of a recording of `duration` seconds that are encoded so far, in order, from its start."""

    duration: float = 0.0
    spans: list[EncodedSpan] = field(default_factory=list)

    @property
    def end(self) -> float:
        return self.spans[-1].end if self.spans else 0.0

    @property
    def complete(self) -> bool:
        return bool(self.spans) and self.duration - self.end < ROUNDING


class RecordingCache:
    """The recordings asked about last, up to KEPT_SECONDS; that asked about now stays however long it is."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, EncodedRecording] = OrderedDict()

    def of(self, source: str | Path | bytes, request: SpeechRequest) -> EncodedRecording:
        """What is encoded of a recording for what is wanted of its speech."""
        key = (_identity(source), request)
        recording = self._kept.pop(key, None) or EncodedRecording()
        self._kept[key] = recording  # the latest last
        while len(self._kept) > 1 and sum(one.end for one in self._kept.values()) > KEPT_SECONDS:
            self._kept.popitem(last=False)
        return recording


def _identity(source: str | Path | bytes) -> Hashable:
    """The same for the same content. A file that was changed since is another."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    try:
        status = os.stat(source)
    except OSError:  # what is wrong with it is said by whoever reads it
        return str(source)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@torch.inference_mode()
def encode_span(model: USAM, span: RecordingSpan, request: SpeechRequest) -> EncodedSpan:
    """Raises UsamError."""
    first, last = (round((at - span.offset) * SAMPLE_RATE) for at in (span.start, span.end))
    hearing = model.hear(span.waveform[first:last], request)
    frames = hearing.frames
    mask = torch.ones(1, len(frames), dtype=torch.bool, device=frames.device)
    tokens, token_mask = model.adapter.encode(frames[None], mask)
    placed = model.place_words(hearing, request) if model.word_streams else ()
    return EncodedSpan(span.start, span.end, tokens.cpu(), token_mask.cpu(), len(frames), placed)


@torch.inference_mode()
def read_span(model: USAM, span: EncodedSpan, question: Tensor) -> AudioTokens:
    """A span's audio tokens under a question's token ids, a batch of one, without the redundant ones.

    Raises NumericalError.
    """
    words = model.word_grid(span.placed, span.frames) if model.word_streams else None
    tokens, mask = span.tokens.to(model.device), span.mask.to(model.device)
    audio = model.project(tokens, mask, [question], words)
    if not audio.tokens.isfinite().all():
        raise NumericalError("audio encoder or adapter")
    if audio.informative is not None:
        audio = audio.keep(model.significance(audio, [question]).total > model.adapter.saclm.threshold)
    return joined([audio])
