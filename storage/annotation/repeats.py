"""Answers shown a second time to the person who rated them: how far a person agrees with themselves."""

import random
from dataclasses import dataclass
from typing import Any, Unpack

from sqlalchemy import exists, false, or_, select
from sqlalchemy.orm import Session

from storage.analysis.consistency import SelfConsistency, self_consistency
from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_key, answer_key
from storage.database.membership import item_of
from storage.errors import RatingError
from storage.ratings.validation import RatingInput, judgement, rating_of

GAP = 10
"""Ratings that lie at least between an answer's first time and its second."""
RECENT = 200
"""Ratings, before those, that a repeat is drawn from."""


@dataclass(frozen=True)
class Repeats:
    """Every method may raise StorageError."""

    database: Database

    def due(
        self, annotator: str, count: int, *, audio_only: bool = True, project: int | None = None
    ) -> list[str]:
        """Ids of at most `count` answers, by chance, that the person rated a while ago and has not met
        again since: items of the project with this key, by default of none."""
        rating, answer, clip = schema.Rating, schema.Answer, schema.Clip
        wanted = (
            select(rating.answer_id)
            .join(schema.Annotator, schema.Annotator.id == rating.annotator_id)
            .join(answer, answer.id == rating.answer_id)
            .join(clip, clip.sha256 == answer.clip_sha256)
            .where(
                schema.Annotator.public_id == annotator,
                rating.withdrawn == false(),
                item_of(project, rating.answer_id),
                or_(rating.thumb.is_not(None), rating.score.is_not(None)),
            )
            .order_by(rating.updated_at.desc())
            .offset(GAP)
            .limit(RECENT)
        )
        met = exists().where(schema.Repeat.rating_id == rating.id)
        with self.database.read() as session:
            rows = session.execute(wanted.add_columns(clip.audio_path, met)).all()
        waiting = [str(id_) for id_, audio, met in rows if not met and (audio or not audio_only)]
        return random.sample(waiting, min(count, len(waiting)))

    def rate_again(self, answer_id: str, annotator: str, **values: Unpack[RatingInput]) -> None:
        """Save the person's second rating, beside their first one, which stays as it is.

        Raises RatingError (empty rating; nothing to repeat), NotFoundError.
        """
        checked = rating_of(**values)
        with self.database.write() as session:
            rating = _rating(session, answer_id, annotator)
            if rating is None or rating.withdrawn:
                raise RatingError("You have not rated this answer, so there is nothing to repeat.")
            session.merge(
                schema.Repeat(rating_id=rating.id, number=rating.revision, created_at=schema.now(), **checked)
            )

    def second_rating(self, answer_id: str, annotator: str) -> dict[str, Any] | None:
        """The person's second rating, as `rate_again` takes it; None when there is none yet."""
        with self.database.read() as session:
            repeat = _repeat(session, answer_id, annotator)
            return {name: getattr(repeat, name) for name in judgement()} if repeat else None

    def withdraw(self, answer_id: str, annotator: str) -> None:
        """Undo the repeat; does nothing if there is none."""
        with self.database.write() as session:
            if repeat := _repeat(session, answer_id, annotator):
                session.delete(repeat)

    def self_consistency(self, annotator: str) -> list[SelfConsistency]:
        """How often the person gave the same rating again, for each thing that answers are judged on."""
        with self.database.read() as session:
            person = session.scalar(select(schema.Annotator.id).filter_by(public_id=annotator))
            return self_consistency(session, person) if person is not None else []


def _rating(session: Session, answer_id: str, annotator: str) -> schema.Rating | None:
    answer, person = answer_key(session, answer_id), annotator_key(session, annotator)
    return session.scalar(select(schema.Rating).filter_by(answer_id=answer, annotator_id=person))


def _repeat(session: Session, answer_id: str, annotator: str) -> schema.Repeat | None:
    return session.scalar(
        select(schema.Repeat)
        .join(schema.Rating, schema.Rating.id == schema.Repeat.rating_id)
        .join(schema.Annotator, schema.Annotator.id == schema.Rating.annotator_id)
        .where(
            schema.Rating.answer_id == answer_key(session, answer_id),
            schema.Annotator.public_id == annotator,
        )
    )
