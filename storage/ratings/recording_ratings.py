"""Ratings of answers about whole recordings, by these recordings' owners; every state of a rating stays."""

from dataclasses import dataclass
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy import ColumnElement, exists, false, select
from sqlalchemy.orm import Session, aliased

from storage.database import schema
from storage.database.connection import Database
from storage.errors import NotFoundError
from storage.ratings.results import Revision, revision_of
from storage.ratings.validation import RatingInput, judgement, rating_of


@dataclass(frozen=True)
class RecordingRatings:
    """Others neither see nor rate these answers. Every method may raise StorageError."""

    database: Database

    def rate(self, answer_id: str, annotator: str, **values: Unpack[RatingInput]) -> Revision:
        """Give or change a rating; what is passed is the whole rating from now on. The same again is no new
        revision. Raises RatingError, NotFoundError."""
        checked = rating_of(**values)
        with self.database.write() as session:
            rating = rating_in(_revised(session, _own(session, answer_id, annotator), False, checked))
            assert rating is not None
            return rating

    def withdraw(self, answer_id: str, annotator: str) -> bool:
        """Take a rating back, keeping its history; false when there was none. Raises NotFoundError."""
        with self.database.write() as session:
            answer = _own(session, answer_id, annotator)
            if rating_in(_last(session, answer)) is None:
                return False
            _revised(session, answer, True, judgement())
            return True

    def history(self, answer_id: str, annotator: str) -> list[Revision]:
        """Every state of the rating, oldest first. Raises NotFoundError."""
        ratings = schema.RecordingRating
        with self.database.read() as session:
            answer = _own(session, answer_id, annotator, lock=False)
            states = select(ratings).where(ratings.answer_id == answer).order_by(ratings.number)
            return [revision_of(row) for row in session.scalars(states)]


def rating_in(last: schema.RecordingRating | None) -> Revision | None:
    """The rating that counts, by its last state."""
    return None if last is None or last.withdrawn else revision_of(last)


def counts_now() -> ColumnElement[bool]:
    """That a state is the last of its rating, and the rating not withdrawn."""
    later = aliased(schema.RecordingRating)
    ratings = schema.RecordingRating
    superseded = exists().where(later.answer_id == ratings.answer_id, later.number > ratings.number)
    return (ratings.withdrawn == false()) & ~superseded


def _own(session: Session, answer_id: str, annotator: str, *, lock: bool = True) -> UUID:
    """The key of an answer about a recording of the person's; its ratings change one after another."""
    answers, recordings, people = schema.RecordingAnswer, schema.Recording, schema.Annotator
    try:
        key = UUID(answer_id)
    except (ValueError, AttributeError, TypeError):
        key = UUID(int=0)  # of no answer
    wanted = (
        select(answers.id)
        .join(recordings, recordings.id == answers.recording_id)
        .join(people, people.id == recordings.annotator_id)
        .where(answers.id == key, people.public_id == annotator)
    )
    found: UUID | None = session.scalar(wanted.with_for_update(of=answers) if lock else wanted)
    if found is None:
        raise NotFoundError(
            "There is no answer with that id about a recording of yours; it may have been deleted."
        )
    return found


def _last(session: Session, answer: UUID) -> schema.RecordingRating | None:
    ratings = schema.RecordingRating
    found: schema.RecordingRating | None = session.scalar(
        select(ratings).where(ratings.answer_id == answer).order_by(ratings.number.desc()).limit(1)
    )
    return found


def _revised(
    session: Session, answer: UUID, withdrawn: bool, values: dict[str, Any]
) -> schema.RecordingRating:
    """The last state of the rating once it is as these values; no change, no revision."""
    state = {"withdrawn": withdrawn, **values}
    last = _last(session, answer)
    if last is not None and all(getattr(last, name) == value for name, value in state.items()):
        return last
    row = schema.RecordingRating(
        answer_id=answer, number=last.number + 1 if last else 1, created_at=schema.now(), **state
    )
    session.add(row)
    return row
