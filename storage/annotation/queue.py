"""The annotation queue: stored answers that a person has not judged yet, in an order worth their time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, exists, false, func, select
from sqlalchemy.orm import Session

from storage.annotation import leases
from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_key, answer_key, end_lease
from storage.database.membership import item_of
from storage.errors import RatingError
from storage.ratings.validation import judgement

Order = Literal["entropy", "disagreement", "chance", "newest"]
BATCH = 5
"""Items that a person has before them; others are not offered these, so that they are few."""
MOST_LEFT = 10_000
"""Answers left that are counted: larger numbers help nobody, and counting them all is slow."""


@dataclass(frozen=True)
class QueueItem:
    """An answer to judge. audio: the file of what was heard, None when it was not kept. draft: the person's
    unfinished rating, as `RatingStore.rate` takes it. others: how many people have judged it."""

    answer_id: str
    task: str
    question: str
    history: list[dict[str, str]]
    text: str
    stopped: bool
    heard_start: float
    heard_end: float
    clip_duration: float
    router_entropy: float | None
    dominant_expert: str | None
    audio: Path | None
    draft: dict[str, Any] | None
    others: int


@dataclass(frozen=True)
class QueueCounts:
    """How many answers a person has judged and put aside, and how many are left, drafts among them.

    more: even more than `left` are, which is MOST_LEFT then.
    """

    judged: int
    skipped: int
    drafts: int
    left: int
    more: bool = False


@dataclass(frozen=True)
class Queue:
    """The answers that are items of no project; `ProjectQueue` has those of one.

    ratings_wanted: ratings after which an answer is offered to nobody else; None: offered to everyone, one
    after the other.

    Every method may raise StorageError. Rating itself is `RatingStore.rate`.
    """

    database: Database
    ratings_wanted: int | None = None

    @property
    def project(self) -> int | None:
        """The key of the project whose items these are."""
        return None

    def upcoming(
        self,
        annotator: str,
        order: Order = "entropy",
        *,
        audio_only: bool = True,
        limit: int = BATCH,
        page: str | None = None,
        leased: bool = False,
    ) -> list[str]:
        """Ids of the next answers to judge; drafts come last, oldest first, and wait also where all
        wanted judgements are there.

        order: `entropy`, the router's most undecided first; `disagreement`, those on which people's ratings
          differ most; `chance`; `newest`.
        audio_only: leave out answers whose audio was not kept.
        page: where the person has them before them from now on, instead of those of before; None: they only
          look.
        leased: also what others, or the person on another page, have before them.
        """
        if order not in get_args(Order):
            raise ValueError(f"no such order: {order}")
        answer = schema.Answer.id
        with self.database.read() if page is None else self.database.write() as session:
            if page is not None:
                leases.begin(session, annotator, page, "rating")
            person = _person(session, annotator)
            fresh, begun = self._wanting(person, audio_only), self._begun(person, audio_only)
            if not leased:
                others, elsewhere = (
                    leases.held_by_others(annotator, answer),
                    leases.held_elsewhere(annotator, page, answer),
                )
                most = self.ratings_wanted or 1
                claims = others if self.ratings_wanted is None else judgements() + others
                fresh = fresh.where(claims < most, ~elsewhere)
                begun = begun.where(others < most, ~elsewhere)
            parts = (*in_order(fresh.where(~is_marked(person)), order), begun)
            ids = first_of(session, parts, limit)
            if page is not None:
                ids = leases.take(session, ids, annotator, page, "rating")
            return [str(id_) for id_ in ids]

    def item(self, answer_id: str, annotator: str) -> QueueItem:
        """An answer to judge. Raises NotFoundError."""
        with self.database.read() as session:
            person = _person(session, annotator)
            answer = session.get_one(schema.Answer, answer_key(session, answer_id))
            clip = session.get_one(schema.Clip, answer.clip_sha256)
            measured = session.get(schema.TraceStatistics, answer.id)
            mark = session.get(schema.QueueMark, (person, answer.id))
            others = session.scalar(
                select(func.count()).where(
                    schema.Rating.answer_id == answer.id,
                    schema.Rating.withdrawn == false(),
                    schema.Rating.annotator_id != person,
                )
            )
            audio = self.database.files.get(clip.audio_path) if clip.audio_path else None
            return QueueItem(
                answer_id=str(answer.id),
                task=answer.task,
                question=answer.question or answer.prompt,
                history=answer.history,
                text=answer.text,
                stopped=answer.stopped,
                heard_start=answer.heard_start,
                heard_end=answer.heard_end,
                clip_duration=answer.clip_duration,
                router_entropy=measured.router_entropy if measured else None,
                dominant_expert=measured.dominant_expert if measured else None,
                audio=audio,
                draft=mark.draft if mark else None,
                others=others or 0,
            )

    def skip(self, answer_id: str, annotator: str) -> None:
        """Put an answer aside for good. Raises NotFoundError."""
        self._mark(answer_id, annotator, "skipped", None)

    def draft(self, answer_id: str, annotator: str, rating: Mapping[str, Any]) -> None:
        """Save an unfinished rating; it counts nowhere. Raises RatingError, NotFoundError."""
        self._mark(answer_id, annotator, "draft", judgement(**rating))

    def requeue(self, answer_id: str, annotator: str) -> None:
        """Put the answer back as if it had been neither skipped nor drafted; does nothing if it was not."""
        with self.database.write() as session:
            answer = answer_key(session, answer_id)
            key = (annotator_key(session, annotator), answer)
            if mark := session.get(schema.QueueMark, key):
                session.delete(mark)

    def progress(self, annotator: str, *, audio_only: bool = True) -> QueueCounts:
        with self.database.read() as session:
            person = _person(session, annotator)

            def count(rows: Select[Any]) -> int:
                return session.scalar(select(func.count()).select_from(rows.subquery())) or 0

            mark = schema.QueueMark
            judged = select(schema.Rating.answer_id).where(
                schema.Rating.annotator_id == person,
                schema.Rating.withdrawn == false(),
                item_of(self.project, schema.Rating.answer_id),
            )
            unrated = select(mark.answer_id).where(
                mark.annotator_id == person,
                ~_rated(person, mark.answer_id),
                item_of(self.project, mark.answer_id),
            )
            skipped = unrated.where(mark.state == "skipped")
            left = count(
                self._wanting(person, audio_only).where(~is_marked(person, "skipped")).limit(MOST_LEFT + 1)
            )
            return QueueCounts(
                judged=count(judged),
                skipped=count(skipped),
                drafts=count(unrated.where(mark.state == "draft")),
                left=min(left, MOST_LEFT),
                more=left > MOST_LEFT,
            )

    def _wanting(self, person: int, audio_only: bool) -> Select[Any]:
        """Those of `_waiting` that have fewer judgements than are wanted."""
        waiting = self._waiting(person, audio_only)
        return waiting if self.ratings_wanted is None else waiting.where(judgements() < self.ratings_wanted)

    def _waiting(self, person: int, audio_only: bool) -> Select[Any]:
        """Ids of answers with words that the person has not judged."""
        answers = select(schema.Answer.id).where(
            schema.WITH_WORDS, item_of(self.project, schema.Answer.id), ~_rated(person, schema.Answer.id)
        )
        if audio_only:
            answers = answers.join(schema.Clip, schema.Clip.sha256 == schema.Answer.clip_sha256).where(
                schema.Clip.audio_path.is_not(None)
            )
        return answers

    def _begun(self, person: int, audio_only: bool) -> Select[Any]:
        """Ids of those that the person has a draft of, the oldest draft first."""
        mark = schema.QueueMark
        return (
            self._waiting(person, audio_only)
            .join(mark, mark.answer_id == schema.Answer.id)
            .where(mark.annotator_id == person, mark.state == "draft")
            .order_by(mark.updated_at)
        )

    def _mark(self, answer_id: str, annotator: str, state: str, draft: dict[str, Any] | None) -> None:
        with self.database.write() as session:
            answer, person = answer_key(session, answer_id), annotator_key(session, annotator)
            if session.scalar(select(_rated(person, answer))):
                raise RatingError("You have judged this answer already; undo that first.")
            end_lease(session, answer, annotator)
            session.merge(
                schema.QueueMark(
                    annotator_id=person, answer_id=answer, state=state, draft=draft, updated_at=schema.now()
                )
            )


def _person(session: Session, annotator: str) -> int:
    """The person's key, or one that nobody has: reading must not add a person."""
    return session.scalar(select(schema.Annotator.id).filter_by(public_id=annotator)) or -1


def judgements() -> Any:
    """How many people have judged an answer."""
    rating = schema.Rating
    judged = select(func.count()).where(rating.answer_id == schema.Answer.id, rating.withdrawn == false())
    return judged.correlate(schema.Answer).scalar_subquery()


def _rated(person: int, answer: Any) -> ColumnElement[bool]:
    return exists().where(
        schema.Rating.answer_id == answer,
        schema.Rating.annotator_id == person,
        schema.Rating.withdrawn == false(),
    )


def is_marked(person: int, *states: str) -> ColumnElement[bool]:
    mark = exists().where(
        schema.QueueMark.answer_id == schema.Answer.id, schema.QueueMark.annotator_id == person
    )
    return mark.where(schema.QueueMark.state.in_(states)) if states else mark


def first_of(session: Session, parts: Iterable[Select[Any]], limit: int) -> list[UUID]:
    """At most `limit` ids, each once, one query's after the other's."""
    ids: dict[UUID, None] = {}  # a set that keeps its order
    for part in parts:
        if len(ids) < limit:
            ids.update(dict.fromkeys(session.scalars(part.limit(limit))))
    return list(ids)[:limit]


def in_order(waiting: Select[Any], order: Order) -> tuple[Select[Any], ...]:
    """Queries whose answers, one query's after the other's, are in this order; each follows an index, so that
    the first few are found without reading the rest."""
    newest = waiting.order_by(schema.Answer.created_at.desc())
    match order:
        case "entropy":
            measured = waiting.join(
                schema.TraceStatistics, schema.TraceStatistics.answer_id == schema.Answer.id
            )
            # Apart: PostgreSQL follows the index of a column in no order with the missing values at the end.
            entropy = schema.TraceStatistics.router_entropy
            return (
                measured.where(entropy.is_not(None)).order_by(entropy.desc()),
                measured.where(entropy.is_(None)),
            )
        case "disagreement":
            # Not a join: SQLite might begin at the answers, all of them, and sort.
            dispute = schema.Disagreement
            waits = waiting.where(schema.Answer.id == dispute.answer_id).correlate(dispute).exists()
            return select(dispute.answer_id).where(waits).order_by(dispute.spread.desc()), newest
        case "chance":  # ids are random: any of them is as good a place to begin
            begin = uuid4()
            by_id = waiting.order_by(schema.Answer.id)
            return by_id.where(schema.Answer.id >= begin), by_id.where(schema.Answer.id < begin)
        case _:
            return (newest,)
