"""What the feedback use-cases give back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Winner = Literal["a", "b", "tie", "both_bad"]


@dataclass(frozen=True)
class Rating:
    """A person's rating of an answer as it counts now. Times are UTC."""

    id: str
    answer_id: str
    annotator: str
    thumb: int | None
    score: int | None
    dimensions: dict[str, int]
    flags: tuple[str, ...]
    correction: str | None
    comment: str | None
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Revision:
    """One state a rating has had, numbered from 1; of an undo, `restores` says which it brought back."""

    number: int
    thumb: int | None
    score: int | None
    dimensions: dict[str, int]
    flags: tuple[str, ...]
    correction: str | None
    comment: str | None
    withdrawn: bool
    restores: int | None
    created_at: datetime


@dataclass(frozen=True)
class Span:
    """A part of what was heard that a person marked, as it counts now. Seconds of the original clip."""

    id: str
    answer_id: str
    start: float
    end: float
    label: str
    comment: str | None
    revision: int
    created_at: datetime
    updated_at: datetime

    def to_json(self) -> dict[str, str | float | None]:
        return {
            "id": self.id,
            "start": self.start,
            "end": self.end,
            "label": self.label,
            "comment": self.comment,
        }


@dataclass(frozen=True)
class SpanRevision:
    """One state a span has had, numbered from 1."""

    number: int
    start: float
    end: float
    label: str
    comment: str | None
    withdrawn: bool
    created_at: datetime


@dataclass(frozen=True)
class Comparison:
    """A vote between two answers; `swapped` when answer a stood on the right."""

    id: str
    answer_a: str
    answer_b: str
    annotator: str
    winner: Winner
    swapped: bool
    created_at: datetime


@dataclass(frozen=True)
class Summary:
    """An earlier answer in a list: enough to recognise it; `Feedback.answer` has the whole."""

    answer_id: str
    parent_id: str | None
    clip_sha256: str
    heard_start: float
    heard_end: float
    task: str
    question: str
    text: str
    seed: int
    stopped: bool
    created_at: datetime


@dataclass(frozen=True)
class Holdings:
    """How much is stored under a person's id; `tokens`: verdicts on single ones; `audio`: clips of theirs
    whose sound is kept."""

    answers: int
    ratings: int
    comparisons: int
    spans: int
    tokens: int
    audio: int


@dataclass(frozen=True)
class Forgotten:
    """How much was deleted."""

    answers: int
    ratings: int
    comparisons: int
    spans: int
    tokens: int
    clips: int
    files: int

    def __str__(self) -> str:
        """`1 answer with its trace, 2 ratings, 0 comparisons, 1 span, 0 judged tokens, 1 clip, 1 file`."""
        answers = (
            f"{_counted(self.answers, 'answer')} with {'its trace' if self.answers == 1 else 'their traces'}"
        )
        rest = (
            ("rating", self.ratings), ("comparison", self.comparisons), ("span", self.spans),
            ("judged token", self.tokens), ("clip", self.clips), ("audio file", self.files),
        )  # fmt: skip
        return ", ".join((answers, *(_counted(n, noun) for noun, n in rest)))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
