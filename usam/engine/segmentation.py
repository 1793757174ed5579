"""Where in a recording speech, sounds and music are heard, from what the specialists' heads say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch

from usam.encoders.heads.audio_kinds import class_log_odds, kind_log_odds
from usam.encoders.heads.kind_states import STATES, kind_of, likeliest_kinds
from usam.encoders.heads.sound_names import loudness, music_names, names_between
from usam.encoders.words import Heard
from usam.engine.word_times import FLOOR
from usam.schema.segments import Segment, SegmentKind, joined
from usam.schema.words import Word

Span = tuple[float, float]
"""Start and end in seconds."""

SHORTEST = 0.5  # seconds: what is shorter belongs to the segment before it
NAMES = 4  # of one segment
SPEECH_GAP = 1.0  # seconds between words of one stretch of speech
REACH = 0.1  # seconds by which speech begins before its first word and lasts after its last one
SAID, UNSAID = 3.0, 1.0  # nats for speech where words were made out, and against it where not
NEVER = 8.0  # nats
LEAST_WORD = 0.04  # seconds
BLUR = 1.0  # seconds: a shorter overlap or gap is how blurred the border between two kinds is


def segments(
    heard: Heard,
    words: Sequence[Sequence[Word]],
    roles: Sequence[str],
    end: float,
    before: SegmentKind | None = None,
) -> list[Segment]:
    """The segments until `end` (s of what was heard), which they cover without gaps.

    words: of each expert, what is spoken as far as it counts, with its `word_times`; roles: what each listens
    for. A word belongs to the segment in which its middle is. before: what was heard until the start, if
    anything was.
    """
    by_role = dict(zip(roles, words, strict=True))
    transcript = [_within_time(word, end) for word in by_role.get("speech", ())]
    spoken = _spoken(transcript)
    instruments = music_names(heard.sounds) if heard.sounds is not None else frozenset()
    parts = _parts(heard, spoken, end, before)
    names = [word for word in by_role.get("audio", ()) if not word.is_place]
    tags = by_role.get("music", ())
    filled = [part for whole in joined(parts) for part in _filled(whole, names, instruments)]
    named = [_named(part, names, tags, instruments, heard) for part in _without_short(filled)]
    return _with_words(named, transcript)


def _within_time(word: Word, end: float) -> Word:
    """A word's times where its sound may seem to lie beyond the end of what counts."""
    return replace(word, start=min(word.start, max(0.0, end - LEAST_WORD)), end=min(word.end, end))


def _parts(heard: Heard, spoken: Sequence[Span], end: float, before: SegmentKind | None) -> list[Segment]:
    """What kind of audio is heard when, until `end` (s)."""
    if heard.sounds is None:
        edges = sorted({0.0, end} | {t for span in spoken for t in span if 0 < t < end})
        return [Segment(a, b, "speech" if _within(spoken, a, b) else "silence") for a, b in pairwise(edges)]
    rate = heard.sounds.rate
    log_odds, own = kind_log_odds(heard.sounds), class_log_odds(heard.sounds)
    looks = [(look / rate, (look + 1) / rate) for look in range(len(log_odds))]
    said = torch.tensor([_within(spoken, *look) for look in looks])
    # Beside speech, and of speech itself, the specialist's own classes are sure where the head may not be.
    log_odds[said] = torch.maximum(log_odds[said], own[said])
    log_odds[:, 0] = torch.maximum(log_odds[:, 0], own[:, 0]) + torch.where(said, SAID, -UNSAID)
    log_odds[loudness(heard.waveform, len(looks), rate) < FLOOR] = -NEVER
    path = likeliest_kinds(log_odds, [state for state in STATES if kind_of(state) == before])
    changes = (look[1] for look, (one, other) in zip(looks, pairwise(path), strict=False) if one != other)
    edges = [0.0, *(at for at in changes if at < end), end]
    parts: list[Segment] = []
    for a, b in pairwise(edges):
        kinds = path[min(len(path) - 1, int((a + b) / 2 * rate))]
        parts.append(Segment(a, b, kind_of(kinds)))
    return parts


def _within(spans: Sequence[Span], start: float, end: float) -> bool:
    """Whether the middle between two times lies in one of the spans."""
    return any(first <= (start + end) / 2 < last for first, last in spans)


def _spoken(transcript: Sequence[Word]) -> list[Span]:
    """Where words are spoken, pauses between them included."""
    found: list[Span] = []
    for word in transcript:
        if found and word.start - found[-1][1] <= SPEECH_GAP:
            found[-1] = (found[-1][0], max(found[-1][1], word.end))
        else:
            found.append((word.start, word.end))
    return [(start - REACH, end + REACH) for start, end in found if end > start]


def _filled(part: Segment, names: Sequence[Word], instruments: frozenset[str]) -> list[Segment]:
    """A silent part, but where faint sounds or music have a name."""
    if part.kind != "silence":
        return [part]
    found: list[Segment] = []
    at = part.start
    for word in names:
        first, last = max(at, word.start), min(part.end, word.end)
        if last - first < SHORTEST:
            continue
        if first > at:
            found.append(Segment(at, first, "silence"))
        found.append(Segment(first, last, "music" if word.text in instruments else "sound"))
        at = last
    return found + ([Segment(at, part.end, "silence")] if at < part.end else [])


def _without_short(parts: Sequence[Segment]) -> list[Segment]:
    """Parts of one kind as one. One too short to stand alone belongs to that before, or else after, it; of a
    short overlap or gap each has half."""
    kept: list[Segment] = []
    left = 0.0  # seconds that belong to the next part
    for index, part in enumerate(together := joined(parts)):
        part = replace(part, start=part.start - left)
        left = 0.0
        seconds = part.end - part.start
        if kept and part.kind in ("mixed", "silence") and seconds < BLUR:
            left = seconds / 2 if index + 1 < len(together) else 0.0
            kept[-1] = replace(kept[-1], end=part.end - left)
        elif kept and seconds < SHORTEST:
            kept[-1] = replace(kept[-1], end=part.end)
        else:
            kept.append(part)
    if len(kept) > 1 and kept[0].end - kept[0].start < SHORTEST:
        kept[:2] = [replace(kept[1], start=kept[0].start)]
    return joined(kept)


def _named(
    part: Segment,
    names: Sequence[Word],
    tags: Sequence[Word],
    instruments: frozenset[str],
    heard: Heard,
) -> Segment:
    """With the names of what is heard in it through most of a second, or of the part; before them, of sounds,
    which may be short, those that its scores are surest of.

    An instrument is no name for a sound, and what names a sound is none for music.
    """
    least = min(1.0, (part.end - part.start) / 2)
    found: list[Word] = []
    kinds = ["music" if word.text in instruments else "sound" for word in names] + ["music"] * len(tags)
    for word, kind in zip((*names, *tags), kinds, strict=True):
        if part.kind in ("mixed", kind) and min(word.end, part.end) - max(word.start, part.start) >= least:
            found.append(word)
    texts = [word.text for word in found]
    if heard.sounds is not None and (part.kind == "sound" or (part.kind == "music" and not texts)):
        texts = names_between(heard, heard.sounds, part.start, part.end, part.kind) + texts
    return replace(part, names=tuple(dict.fromkeys(texts))[:NAMES])


def _with_words(parts: Sequence[Segment], transcript: Sequence[Word]) -> list[Segment]:
    """Each part with what is spoken in it, and in which language: that of the mark before its first word."""
    spoken: list[list[Word]] = [[] for _ in parts]
    for word in transcript:
        if not word.is_language:
            middle = (word.start + word.end) / 2
            index = next((i for i, part in enumerate(parts) if middle < part.end), len(parts) - 1)
            spoken[index].append(word)
    marks = [word for word in transcript if word.is_language]

    def language(part: Segment, words: Sequence[Word]) -> str | None:
        until = words[0].start if words else part.end if part.kind in ("speech", "mixed") else -1.0
        before = [mark.text for mark in marks if mark.start <= until]
        return before[-1] if before else marks[0].text if words and marks else None

    return [
        replace(part, words=tuple(words), language=language(part, words))
        for part, words in zip(parts, spoken, strict=True)
    ]
