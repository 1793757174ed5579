"""Whole recordings: span after span, what is said when, and where sounds and music are heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from torch import Tensor

from usam.audio.clip import AudioSource, load_clip
from usam.audio.recording import LONGEST, OVERLAP, ROUNDING, SHORTEST, quietest
from usam.encoders.heads.sound_names import speech_score
from usam.encoders.heads.spoken_words import SURE_SPEECH
from usam.encoders.words import Heard
from usam.engine.segmentation import at_pauses, segments
from usam.generation.fair_lock import FairLock
from usam.model.model import USAM
from usam.schema.segments import RecordingPart, Segment
from usam.schema.tasks import SpeechTask
from usam.schema.words import Word

SENTENCE_ENDS = (".", "?", "!", "。", "？", "！")
LEAST_WRITTEN = 5.0  # seconds of a span, or its speech is not heard once more
UNWRITTEN = 1.5  # seconds of speech after the last word: more of it was not written down


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
    before = None if after is None else _last_word(after.segments)
    roles = model.adapter.config.encoder_roles
    while not stop.is_set():
        clip = load_clip(source, max(0.0, start - OVERLAP), max_seconds=LONGEST)
        with lock:
            heard, words = model.hear_words(clip.waveform, task)
        offset = clip.start
        whole = clip.end - offset
        last = clip.duration - clip.end < ROUNDING
        transcript = at_pauses(dict(zip(roles, words, strict=True)).get("speech", ()), heard.waveform)
        spoken = [word for word in transcript if not word.is_language]
        end = whole if last else _cut(spoken, clip.waveform, start - offset)
        resumed = _unwritten(spoken, _surely_spoken(heard), start - offset, end)
        if resumed is not None:
            end = resumed
        found = segments(
            heard,
            words,
            roles,
            start - offset,
            end,
            None if before is None else _moved(before, -offset),
        )
        parts = tuple(_segment_moved(segment, offset) for segment in found)
        before = _last_word(parts)
        yield RecordingPart(start, offset + end, clip.duration, parts)
        if last and resumed is None:
            return
        start = offset + end


def _cut(words: Sequence[Word], waveform: Tensor, start: float) -> float:
    """Where (s) a span ends that is followed by another: after the last sentence that is followed by
    another, or else where it is quietest."""
    least, most = start + SHORTEST, LONGEST - OVERLAP
    pauses = [
        (word.end + following.start) / 2
        for word, following in pairwise(words)
        if word.text.endswith(SENTENCE_ENDS)
    ]
    return next((at for at in reversed(pauses) if least <= at <= most), quietest(waveform, least, most))


def _surely_spoken(heard: Heard) -> list[tuple[float, float]]:
    """Where (s) someone speaks, and not an animal that may be taken for a person."""
    return [span for span in heard.speech if speech_score(heard.sounds, *span) > SURE_SPEECH]


def _unwritten(
    words: Sequence[Word], speech: Sequence[tuple[float, float]], start: float, end: float
) -> float | None:
    """Where (s) people speak on whose words are missing at a span's end, if they do."""
    after = max((word.end for word in words if word.end <= end), default=start)
    missing = sum(max(0.0, min(b, end) - max(a, after)) for a, b in speech)
    return after if missing > UNWRITTEN and after - start > LEAST_WRITTEN else None


def _last_word(segments: Sequence[Segment]) -> Word | None:
    return next((segment.words[-1] for segment in reversed(segments) if segment.words), None)


def _moved(word: Word, by: float) -> Word:
    return replace(word, start=word.start + by, end=word.end + by)


def _segment_moved(segment: Segment, by: float) -> Segment:
    words = tuple(_moved(word, by) for word in segment.words)
    return replace(segment, start=segment.start + by, end=segment.end + by, words=words)
