"""Spans of what was heard that people mark, such as "the answer missed this"; each keeps its history."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import Session

from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_key, answer_key
from storage.errors import NotFoundError, RatingError
from storage.ratings.validation import MAX_COMMENT, checked_name, checked_text

LABELS = ("missed", "mattered", "wrong", "other")
"""What a span can be marked as by default; a team may name its own."""

MOST = 200
"""Spans of one person on one answer."""
SHORTEST = 0.01  # seconds


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
class Spans:
    """A person marks, changes and withdraws their own spans; others' they neither see nor change.

    Every method may raise StorageError.
    """

    database: Database

    def mark(
        self, answer_id: str, annotator: str, start: float, end: float, label: str, comment: str | None = None
    ) -> Span:
        """Mark [start, end] (s of the original clip), which must lie in what the answer heard.

        label: as `checked_name` allows.  comment: at most MAX_COMMENT characters.
        Raises RatingError, NotFoundError.
        """
        with self.database.write() as session:
            answer = session.get_one(schema.Answer, answer_key(session, answer_id))
            person = annotator_key(session, annotator)
            values = _checked(answer, start, end, label, comment)
            standing = select(func.count()).select_from(schema.Span).where(*_standing(answer.id, person))
            if (session.scalar(standing) or 0) >= MOST:
                raise RatingError(f"At most {MOST} spans of one answer can be marked.")
            span = schema.Span(
                id=uuid4(), answer_id=answer.id, annotator_id=person, revision=0, withdrawn=False, **values
            )
            session.add(span)
            _revise(session, span, values)
            return _span(span)

    def change(
        self, span_id: str, annotator: str, start: float, end: float, label: str, comment: str | None = None
    ) -> Span:
        """What is passed is the whole span from now on; the same again makes no revision, and one that was
        withdrawn counts again. Raises RatingError, NotFoundError."""
        with self.database.write() as session:
            span = _locked(session, span_id, annotator)
            answer = session.get_one(schema.Answer, span.answer_id)
            values = {**_checked(answer, start, end, label, comment), "withdrawn": False}
            if any(getattr(span, name) != value for name, value in values.items()):
                _revise(session, span, values)
            return _span(span)

    def withdraw(self, span_id: str, annotator: str) -> bool:
        """Take a span back, keeping its history; false when it was already. Raises NotFoundError."""
        with self.database.write() as session:
            span = _locked(session, span_id, annotator)
            if span.withdrawn:
                return False
            _revise(session, span, {"withdrawn": True})
            return True

    def of(self, answer_id: str, annotator: str) -> list[Span]:
        """The person's spans that count now, in the order of time. Raises NotFoundError."""
        spans, people = schema.Span, schema.Annotator
        with self.database.read() as session:
            rows = session.scalars(
                select(spans)
                .join(people, people.id == spans.annotator_id)
                .where(
                    spans.answer_id == answer_key(session, answer_id),
                    people.public_id == annotator,
                    spans.withdrawn == false(),
                )
                .order_by(spans.start_s, spans.end_s, spans.created_at)
            )
            return [_span(row) for row in rows]

    def history(self, span_id: str, annotator: str) -> list[SpanRevision]:
        """Every state of the person's span, oldest first. Raises NotFoundError."""
        with self.database.read() as session:
            span = _own(session, _span_of(span_id, annotator))
            revisions = session.scalars(
                select(schema.SpanRevision)
                .where(schema.SpanRevision.span_id == span.id)
                .order_by(schema.SpanRevision.number)
            )
            return [
                SpanRevision(
                    number=row.number,
                    start=row.start_s,
                    end=row.end_s,
                    label=row.label,
                    comment=row.comment,
                    withdrawn=row.withdrawn,
                    created_at=row.created_at,
                )
                for row in revisions
            ]


def _checked(
    answer: schema.Answer, start: float, end: float, label: str, comment: str | None
) -> dict[str, Any]:
    """The checked column values. Raises RatingError."""
    try:
        first, last = float(start), float(end)
    except (TypeError, ValueError, OverflowError) as error:
        raise RatingError("A span has a start and an end in seconds.") from error
    if not (math.isfinite(first) and math.isfinite(last) and last - first >= SHORTEST):
        raise RatingError(f"A span ends at least {SHORTEST} s after it starts.")
    if first < answer.heard_start - SHORTEST or last > answer.heard_end + SHORTEST:
        heard = f"{answer.heard_start:.2f}–{answer.heard_end:.2f} s"
        raise RatingError(f"A span lies within what the model heard, {heard}.")
    return {
        "start_s": max(first, answer.heard_start),
        "end_s": min(last, answer.heard_end),
        "label": checked_name(label, "label"),
        "comment": checked_text("comment", comment, MAX_COMMENT),
    }


def _revise(session: Session, span: schema.Span, changes: dict[str, Any]) -> None:
    """Make the changes the span's current state, and add that to its history."""
    span.revision += 1
    span.updated_at = schema.now()
    for name, value in changes.items():
        setattr(span, name, value)
    session.flush()  # the span before what refers to it
    session.add(
        schema.SpanRevision(
            span_id=span.id,
            number=span.revision,
            created_at=span.updated_at,
            start_s=span.start_s,
            end_s=span.end_s,
            label=span.label,
            comment=span.comment,
            withdrawn=span.withdrawn,
        )
    )


def _standing(answer: UUID, person: int) -> tuple[Any, ...]:
    spans = schema.Span
    return spans.answer_id == answer, spans.annotator_id == person, spans.withdrawn == false()


def _span_of(span_id: str, annotator: str) -> Select[Any]:
    try:
        key = UUID(span_id)
    except (ValueError, AttributeError, TypeError):
        key = UUID(int=0)  # of no span
    return (
        select(schema.Span)
        .join(schema.Annotator, schema.Annotator.id == schema.Span.annotator_id)
        .where(schema.Span.id == key, schema.Annotator.public_id == annotator)
    )


def _locked(session: Session, span_id: str, annotator: str) -> schema.Span:
    return _own(session, _span_of(span_id, annotator).with_for_update(of=schema.Span))


def _own(session: Session, wanted: Select[Any]) -> schema.Span:
    span: schema.Span | None = session.scalar(wanted)
    if span is None:
        raise NotFoundError("There is no span of yours with that id; it may have been deleted.")
    return span


def _span(row: schema.Span) -> Span:
    return Span(
        id=str(row.id),
        answer_id=str(row.answer_id),
        start=row.start_s,
        end=row.end_s,
        label=row.label,
        comment=row.comment,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
