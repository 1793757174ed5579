"""Whole recordings: span after span, what is said when, and where sounds and music are heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from usam.audio.clip import AudioSource, load_clip
from usam.audio.recording import LONGEST, ROUNDING
from usam.engine.segmentation import segments
from usam.engine.span_cut import heard_seconds, span_cut
from usam.engine.word_times import word_times
from usam.generation.fair_lock import FairLock
from usam.model.model import USAM
from usam.schema.segments import RecordingPart, Segment, SegmentKind
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
    the language model is waited for. It hears 30 s at once, of which what is said in whole sentences counts;
    the rest is heard again with what follows. The lock is held for a part at a time. Setting `stop` ends it
    after the part at hand. After a part that was heard before, only what follows it is heard. Raises
    UsamError.
    """
    if after is not None and after.duration - after.end < ROUNDING:
        return
    start = 0.0 if after is None else after.end
    before = None if after is None else _last_kind(after.segments)
    roles = model.adapter.config.encoder_roles
    while not stop.is_set():
        clip = load_clip(source, start, max_seconds=LONGEST)
        with lock:
            heard, words = model.hear_words(clip.waveform, task)
        whole = clip.duration - clip.end < ROUNDING
        timed = [
            word_times(stream, heard) if role == "speech" else stream
            for role, stream in zip(roles, words, strict=True)
        ]
        transcript = dict(zip(roles, timed, strict=True)).get("speech", ())
        cut = span_cut([word for word in transcript if not word.is_language], heard, whole)
        counted = [
            _first(stream, cut.words) if role == "speech" else stream
            for role, stream in zip(roles, timed, strict=True)
        ]
        found = segments(heard, counted, roles, cut.at, before)
        parts = tuple(_segment_moved(segment, start) for segment in found)
        before = _last_kind(parts)
        yield RecordingPart(start, start + cut.at, clip.duration, parts)
        if whole and cut.at == heard_seconds(heard):
            return
        start += cut.at


def _first(words: Sequence[Word], count: int) -> list[Word]:
    """So many spoken words, with the languages before them."""
    spoken = [index for index, word in enumerate(words) if not word.is_language]
    return list(words[: spoken[count]] if count < len(spoken) else words)


def _last_kind(segments: Sequence[Segment]) -> SegmentKind | None:
    return segments[-1].kind if segments else None


def _segment_moved(segment: Segment, by: float) -> Segment:
    words = tuple(replace(word, start=word.start + by, end=word.end + by) for word in segment.words)
    return replace(segment, start=segment.start + by, end=segment.end + by, words=words)
