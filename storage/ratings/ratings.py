"""Ratings: give, change, withdraw, undo; each state is a revision that stays."""

from dataclasses import dataclass
from typing import Any, Unpack, cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_key, answer_key, end_lease, insert_missing
from storage.errors import RatingError
from storage.ratings.disagreement import update_disagreement
from storage.ratings.results import Rating, Revision, revision_of
from storage.ratings.validation import RatingInput, judgement, rating_of


@dataclass(frozen=True)
class RatingStore:
    """A person has one rating an answer. Every method may raise StorageError."""

    database: Database

    def rate(self, answer_id: str, annotator: str, **values: Unpack[RatingInput]) -> Rating:
        """Give or change a rating; what is passed (see `RatingInput`) is the whole rating from now on.

        A change is a new revision; the same again is not.

        Raises RatingError, NotFoundError.
        """
        checked = rating_of(**values)
        with self.database.write() as session:
            answer, person = answer_key(session, answer_id), annotator_key(session, annotator)
            insert_missing(
                session, schema.Rating, answer_id=answer, annotator_id=person, revision=0, withdrawn=True
            )
            rating = _locked_rating(session, answer, annotator)
            assert rating is not None
            _revise(session, rating, withdrawn=False, **checked)
            end_lease(session, answer, annotator)
            return _rating(rating, annotator)

    def withdraw(self, answer_id: str, annotator: str) -> bool:
        """Take a rating back, keeping its history; false when there was none. Raises NotFoundError."""
        with self.database.write() as session:
            rating = _locked_rating(session, answer_key(session, answer_id), annotator)
            if rating is None or rating.withdrawn:
                return False
            _revise(session, rating, withdrawn=True, **judgement())
            return True

    def undo(self, answer_id: str, annotator: str) -> Rating | None:
        """Bring back the rating as it was before the person's last save or withdrawal; undoing again goes
        further back. The history grows by the state brought back, and loses nothing.

        Returns the rating that counts now, None for none. Raises RatingError when nothing is left to undo.
        """
        with self.database.write() as session:
            rating = _locked_rating(session, answer_key(session, answer_id), annotator)
            target = _before_last_save(session, rating) if rating else None
            if rating is None or target is None:
                raise RatingError("There is nothing to undo.")
            state = session.get_one(schema.RatingRevision, (rating.id, target)) if target else None
            restored = {name: getattr(state, name) for name in judgement()} if state else judgement()
            _revise(
                session, rating, restores=target, withdrawn=state.withdrawn if state else True, **restored
            )
            return None if rating.withdrawn else _rating(rating, annotator)

    def rating(self, answer_id: str, annotator: str) -> Rating | None:
        """The person's rating as it counts now; None before the first and after a withdrawal."""
        with self.database.read() as session:
            rating = session.scalar(_rating_of(answer_key(session, answer_id), annotator))
            return None if rating is None or rating.withdrawn else _rating(rating, annotator)

    def history(self, answer_id: str, annotator: str) -> list[Revision]:
        """Every state of the person's rating, oldest first."""
        with self.database.read() as session:
            mine = _rating_of(answer_key(session, answer_id), annotator).with_only_columns(schema.Rating.id)
            revisions = session.scalars(
                select(schema.RatingRevision)
                .where(schema.RatingRevision.rating_id == mine.scalar_subquery())
                .order_by(schema.RatingRevision.number)
            )
            return [revision_of(row, row.restores) for row in revisions]


def _rating_of(answer: UUID, annotator: str) -> Any:
    return (
        select(schema.Rating)
        .join(schema.Annotator, schema.Annotator.id == schema.Rating.annotator_id)
        .where(schema.Rating.answer_id == answer, schema.Annotator.public_id == annotator)
    )


def _locked_rating(session: Session, answer: UUID, annotator: str) -> schema.Rating | None:
    return cast(
        schema.Rating | None, session.scalar(_rating_of(answer, annotator).with_for_update(of=schema.Rating))
    )


def _revise(
    session: Session, rating: schema.Rating, *, restores: int | None = None, **judgement: Any
) -> None:
    """Make `judgement` the rating's current state and add it to the history; no change, no revision, but an
    undo is always one."""
    changed = any(getattr(rating, name) != value for name, value in judgement.items())
    if rating.revision and not changed and restores is None:
        return
    rating.revision += 1
    rating.updated_at = schema.now()
    for name, value in judgement.items():
        setattr(rating, name, value)
    revision = schema.RatingRevision(
        rating_id=rating.id,
        number=rating.revision,
        restores=restores,
        created_at=rating.updated_at,
        **judgement,
    )
    session.add(revision)
    update_disagreement(session, [rating.answer_id])


def _before_last_save(session: Session, rating: schema.Rating) -> int | None:
    """Number of the revision whose state held before the last save that is not undone yet; 0 for no rating
    at all, None when everything is undone."""
    undone = schema.RatingRevision.restores
    restored = dict(
        session.execute(
            select(schema.RatingRevision.number, undone).where(
                schema.RatingRevision.rating_id == rating.id, undone.is_not(None)
            )
        ).all()
    )
    saved = restored.get(rating.revision, rating.revision)
    return restored.get(saved - 1, saved - 1) if saved else None


def _rating(row: schema.Rating, annotator: str) -> Rating:
    return Rating(
        id=str(row.id),
        answer_id=str(row.answer_id),
        annotator=annotator,
        thumb=row.thumb,
        score=row.score,
        dimensions=row.dimensions,
        flags=tuple(row.flags),
        correction=row.correction,
        comment=row.comment,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
