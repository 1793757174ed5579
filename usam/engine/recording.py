"""Whole recordings: span after span, what is said when, and where sounds and music are heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from usam.audio.clip import AudioSource
from usam.audio.recording import ROUNDING, recording_spans
from usam.engine.segmentation import segments
from usam.generation.fair_lock import FairLock
from usam.model.model import USAM
from usam.schema.segments import RecordingPart, Segment
from usam.schema.tasks import SpeechTask
from usam.schema.words import Word


def hear_recording(
    model: USAM,
    lock: FairLock,
    source: AudioSource,
    task: SpeechTask,
    stop: threading.Event,
    after: RecordingPart | None = None,
) -> Iterator[RecordingPart]:
    """The parts of a recording of any length, each as soon as it is heard; together they cover it.

    The words are those of the speech specialist, which the model reads in its audio tokens, so no answer of
    the language model is waited for. The lock is held for a part at a time. Setting `stop` ends it after the
    part at hand. After a part that was heard before, only what follows it is heard. Raises UsamError.
    """
    if after is not None and after.duration - after.end < ROUNDING:
        return
    before = None if after is None else _last_word(after.segments)
    for span in recording_spans(source, 0.0 if after is None else after.end):
        if stop.is_set():
            return
        with lock:
            heard, words = model.hear_words(span.waveform, task)
        found = segments(
            heard,
            words,
            model.adapter.config.encoder_roles,
            span.start - span.offset,
            span.end - span.offset,
            None if before is None else _moved(before, -span.offset),
        )
        parts = tuple(_segment_moved(segment, span.offset) for segment in found)
        before = _last_word(parts)
        yield RecordingPart(span.start, span.end, span.duration, parts)


def _last_word(segments: Sequence[Segment]) -> Word | None:
    return next((segment.words[-1] for segment in reversed(segments) if segment.words), None)


def _moved(word: Word, by: float) -> Word:
    return replace(word, start=word.start + by, end=word.end + by)


def _segment_moved(segment: Segment, by: float) -> Segment:
    words = tuple(_moved(word, by) for word in segment.words)
    return replace(segment, start=segment.start + by, end=segment.end + by, words=words)
