"""What was heard of a recording as JSON, to be stored and read again, with everything a word has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from usam.schema.segments import Segment
from usam.schema.words import Word

DIGITS = 3  # of a time in seconds


def segments_to_record(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """`Segment.to_json` is for people; this one loses nothing but what lies beyond a millisecond."""
    return [
        {
            "start": round(one.start, DIGITS),
            "end": round(one.end, DIGITS),
            "kind": one.kind,
            "names": list(one.names),
            "language": one.language,
            "words": [
                [
                    round(word.start, DIGITS),
                    round(word.end, DIGITS),
                    word.text,
                    round(word.confidence, DIGITS),
                    word.before,
                    word.after,
                ]
                for word in one.words
            ],
        }
        for one in segments
    ]


def segments_from_record(record: Sequence[dict[str, Any]]) -> tuple[Segment, ...]:
    return tuple(
        Segment(
            one["start"],
            one["end"],
            one["kind"],
            tuple(Word(*word) for word in one["words"]),
            tuple(one["names"]),
            one["language"],
        )
        for one in record
    )
