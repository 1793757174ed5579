"""What a recording is made of, part after part: speech with its words, sounds and music with their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from usam.schema.words import Word

Kind = Literal["speech", "sound", "music"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SegmentKind = Literal["speech", "sound", "music", "mixed", "silence"]
"""`mixed` is several of speech, sound and music at once; `silence` is where nothing is made out."""


@dataclass(frozen=True)
class Segment:
    """A stretch of a recording in which one kind of audio is heard. Times in seconds of the recording.

    words: what is said, in order. names: of sounds and music, the surest first. language: of what is said.
    """

    start: float
    end: float
    kind: SegmentKind
    words: tuple[Word, ...] = ()
    names: tuple[str, ...] = ()
    language: str | None = None

    @property
    def text(self) -> str:
        """What is said."""
        return "".join(word.read for word in self.words).strip()

    def to_json(self) -> dict[str, Any]:
        return {
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "kind": self.kind,
            "text": self.text,
            "language": self.language,
            "names": list(self.names),
            "words": [
                {
                    "start": round(word.start, 3),
                    "end": round(word.end, 3),
                    "text": word.text,
                    "confidence": round(word.confidence, 3),
                }
                for word in self.words
            ],
        }


@dataclass(frozen=True)
class RecordingPart:
    """The segments of a span of a recording that lasts `duration` seconds, heard up to `end`."""

    start: float
    end: float
    duration: float
    segments: tuple[Segment, ...]


def joined(segments: Iterable[Segment]) -> list[Segment]:
    """The same, those of one kind that follow each other as one; of all, the names come once."""
    found: list[Segment] = []
    for segment in segments:
        if found and found[-1].kind == segment.kind and found[-1].language == segment.language:
            last = found[-1]
            names = tuple(dict.fromkeys(last.names + segment.names))
            found[-1] = replace(last, end=segment.end, words=last.words + segment.words, names=names)
        else:
            found.append(segment)
    return found
