"""Browse stored answers with what people wrote about them, page by page.

Every page looks at a bounded number of answers, so that it is fast however rare the match.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select, tuple_
from sqlalchemy.orm import Session

from storage.database.connection import Database
from storage.database.schema import Answer, Rating, TraceStatistics
from storage.database.search import answers_with, words_of

PAGE = 20
MOST_SCANNED = 5_000
"""Answers that one page looks at."""
MOST_TEXTS = 5

PageKey = tuple[datetime, UUID]
"""Where a page ended; the next one begins behind it."""


@dataclass(frozen=True)
class SearchFilter:
    """What to look for; None and empty match everything.

    words: see `words_of`; all have to stand in question and answer, or in one person's correction and
    comment.  kind: of sound, as the dominant expert's name.  model: fingerprint.  thumb, score: that someone
    gave.  since, until: when the answer was given.
    """

    words: str = ""
    task: str | None = None
    kind: str | None = None
    model: str | None = None
    quantization: str | None = None
    thumb: int | None = None
    score: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class RatingText:
    """One person's words about an answer; the person is a number."""

    annotator: int
    thumb: int | None
    score: int | None
    correction: str | None
    comment: str | None
    updated_at: datetime


@dataclass(frozen=True)
class RatingCounts:
    """Of an answer's ratings; mean_score: None where nobody gave a score."""

    ratings: int = 0
    up: int = 0
    down: int = 0
    mean_score: float | None = None


@dataclass(frozen=True)
class FoundAnswer:
    """An answer, the counts of its ratings, and the latest MOST_TEXTS of those that have words."""

    answer_id: str
    created_at: datetime
    task: str
    question: str
    text: str
    heard_start: float
    heard_end: float
    model_fingerprint: str
    quantization: str
    kind: str | None
    counts: RatingCounts
    texts: tuple[RatingText, ...]


@dataclass(frozen=True)
class Page:
    """found: newest first; fewer than requested if MOST_SCANNED answers held no more matches.  after: where
    the next page begins, None at the end."""

    found: tuple[FoundAnswer, ...]
    after: PageKey | None


@dataclass(frozen=True)
class Choices:
    """What the latest MOST_SCANNED answers can be filtered by."""

    kinds: tuple[str, ...]
    models: tuple[str, ...]
    quantizations: tuple[str, ...]


def browse(
    database: Database, search: SearchFilter, after: PageKey | None = None, *, limit: int = PAGE
) -> Page:
    """A page of answers, newest first. Raises StorageError."""
    with database.read() as session:
        scanned = _scanned(session, search, after)
        rows = session.execute(_matching(scanned.limit(MOST_SCANNED).subquery(), search).limit(limit)).all()
        # A full page ends with its last answer, another with the last that was looked at.
        last = (
            rows[-1]
            if len(rows) == limit
            else session.execute(scanned.offset(MOST_SCANNED - 1).limit(1)).first()
        )
        end = (last.created_at, last.id) if last else None
        return Page(_with_ratings(session, [row.id for row in rows]), end)


def choices(database: Database) -> Choices:
    """Raises StorageError."""
    with database.read() as session:
        latest = _scanned(session, SearchFilter(), None).limit(MOST_SCANNED).subquery().c
        columns = (TraceStatistics.dominant_expert, latest.model_fingerprint, latest.quantization)
        measured = select(*columns).outerjoin(TraceStatistics, TraceStatistics.answer_id == latest.id)
        together = session.execute(measured.distinct()).all()
        kinds, models, quantizations = (
            tuple(sorted({row[place] for row in together} - {None})) for place in range(len(columns))
        )
        return Choices(kinds, models, quantizations)


def _scanned(session: Session, search: SearchFilter, after: PageKey | None) -> Any:
    key = (Answer.created_at, Answer.id)
    scanned = select(*key, Answer.task, Answer.model_fingerprint, Answer.quantization).order_by(
        *(column.desc() for column in key)
    )
    if words := words_of(search.words):
        scanned = scanned.where(Answer.id.in_(answers_with(session, words)))
    elif search.words.strip():
        scanned = scanned.where(false())  # signs alone are no words
    if after:
        scanned = scanned.where(tuple_(*key) < after)
    if search.since:
        scanned = scanned.where(Answer.created_at >= search.since)
    if search.until:
        scanned = scanned.where(Answer.created_at < search.until)
    return scanned


def _matching(scanned: Any, search: SearchFilter) -> Select[Any]:
    columns = scanned.c
    rows = select(columns.created_at, columns.id).order_by(columns.created_at.desc(), columns.id.desc())
    for column, value in (
        (columns.task, search.task),
        (columns.model_fingerprint, search.model),
        (columns.quantization, search.quantization),
    ):
        if value is not None:
            rows = rows.where(column == value)
    if search.kind is not None:
        measured = (TraceStatistics.answer_id == columns.id, TraceStatistics.dominant_expert == search.kind)
        rows = rows.where(exists().where(*measured))
    given = [
        column == value
        for column, value in ((Rating.thumb, search.thumb), (Rating.score, search.score))
        if value is not None
    ]
    return rows.where(exists().where(Rating.answer_id == columns.id, *_counts(), *given)) if given else rows


def _counts() -> tuple[ColumnElement[bool], ...]:
    return (Rating.withdrawn == false(),)


def _with_ratings(session: Session, ids: Collection[UUID]) -> tuple[FoundAnswer, ...]:
    names = (
        "created_at", "task", "question", "text", "heard_start", "heard_end", "model_fingerprint",
        "quantization",
    )  # fmt: skip
    answers = session.execute(
        select(Answer.id, *(getattr(Answer, name) for name in names), TraceStatistics.dominant_expert)
        .outerjoin(TraceStatistics, TraceStatistics.answer_id == Answer.id)
        .where(Answer.id.in_(ids))
    )
    described = {id_: dict(zip((*names, "kind"), values, strict=True)) for id_, *values in answers}
    counted = {
        answer: RatingCounts(ratings, up, down, None if mean is None else float(mean))
        for answer, ratings, up, down, mean in session.execute(
            select(
                Rating.answer_id,
                func.count(),
                func.count().filter(Rating.thumb == 1),
                func.count().filter(Rating.thumb == -1),
                func.avg(Rating.score),
            )
            .where(Rating.answer_id.in_(ids), *_counts())
            .group_by(Rating.answer_id)
        )
    }
    texts = _rating_texts(session, ids)
    return tuple(
        FoundAnswer(
            str(id_), counts=counted.get(id_, RatingCounts()), texts=tuple(texts[id_]), **described[id_]
        )
        for id_ in ids
    )


def _rating_texts(session: Session, ids: Collection[UUID]) -> dict[UUID, list[RatingText]]:
    """Corrections and comments by answer, latest first."""
    place = func.row_number().over(partition_by=Rating.answer_id, order_by=Rating.updated_at.desc())
    words = (
        select(
            Rating.answer_id,
            Rating.annotator_id,
            Rating.thumb,
            Rating.score,
            Rating.correction,
            Rating.comment,
            Rating.updated_at,
            place.label("place"),
        )
        .where(Rating.answer_id.in_(ids), *_counts())
        .where(or_(Rating.correction.is_not(None), Rating.comment.is_not(None)))
        .subquery()
    )
    texts: dict[UUID, list[RatingText]] = defaultdict(list)
    for answer, *rest, _ in session.execute(
        select(words).where(words.c.place <= MOST_TEXTS).order_by(words.c.place)
    ):
        texts[answer].append(RatingText(*rest))
    return texts
