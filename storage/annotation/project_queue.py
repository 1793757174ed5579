"""The annotation queue of one project: each item for as many people as are wanted, gold items among them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, delete, exists, false, func, or_, select
from sqlalchemy.orm import Session

from storage.annotation.queue import Order, Queue, first_of, in_order, is_marked
from storage.database import schema
from storage.database.keys import annotator_key
from storage.database.membership import has_gold
from storage.errors import NotFoundError

BATCH = 5
"""Items that a person has before them; others are not offered these, so that they are few."""
RESERVED = timedelta(minutes=30)
"""How long an item waits for a person who was given it."""
GOLD_SHARE = 0.1
"""Of what a person is given, at least; more where more of what is left to them is gold."""

NOT_OPEN = "This project is closed, or not open to you."
Id = TypeVar("Id")


@dataclass(frozen=True)
class ProjectQueue(Queue):
    """`ratings_wanted` is the project's. Nothing here tells a gold item from another."""

    key: int = 0

    @property
    def project(self) -> int | None:
        return self.key

    def upcoming(
        self, annotator: str, order: Order = "entropy", *, audio_only: bool = True, limit: int = BATCH
    ) -> list[str]:
        """Ids of the next items, which are reserved for the person for a while; an item goes to no more
        people than judgements are wanted. Those that the person has a draft of come last.

        Gold items come in any place, whatever the order, and to everyone.
        Raises NotFoundError where the project is not open to the person.
        """
        with self.database.write() as session:
            self._check_open(session, annotator)
            person = annotator_key(session, annotator)
            mine = {"project_id": self.key, "annotator_id": person}
            session.execute(delete(schema.Reservation).filter_by(**mine))
            session.execute(delete(schema.Reservation).where(schema.Reservation.until < schema.now()))
            fresh = self._waiting(person, audio_only).where(~is_marked(person))
            ordinary = fresh.where(~self._gold(), self._claims(person) < self.ratings_wanted)
            gold = list(session.scalars(fresh.where(self._gold()).order_by(func.random())))
            # So many are enough to tell whether more than GOLD_SHARE of what is left is gold.
            enough = limit + round(len(gold) / GOLD_SHARE)
            left = len(session.scalars(ordinary.limit(enough)).all())
            share = max(GOLD_SHARE, len(gold) / max(1, len(gold) + left))
            wanted = sum(random.random() < share for _ in range(limit))
            known = gold[: max(wanted, limit - left)]
            ids = first_of(session, in_order(ordinary, order), limit - len(known))
            until = schema.now() + RESERVED
            session.add_all(schema.Reservation(**mine, answer_id=id_, until=until) for id_ in ids)
            ids = shuffled_in(ids, known)
            begun = session.scalars(self._begun(person, audio_only).limit(limit - len(ids)))
            return [str(id_) for id_ in (*ids, *begun)]

    def _check_open(self, session: Session, annotator: str) -> None:
        """Locks the project, so that of two people who ask at once the second sees what the first was given.

        Raises NotFoundError.
        """
        project, member = schema.Project, schema.ProjectMember
        assigned = exists().where(
            member.project_id == project.id,
            member.annotator_id == schema.Annotator.id,
            schema.Annotator.public_id == annotator,
        )
        open_to = project.id == self.key, project.closed == false(), or_(project.open_to_all, assigned)
        if session.scalar(select(project.id).where(*open_to).with_for_update(of=project)) is None:
            raise NotFoundError(NOT_OPEN)

    def _wanting(self, person: int, audio_only: bool) -> Select[Any]:
        """Also the gold ones, of which a judgement of everyone is wanted."""
        rating = schema.Rating
        judged = select(func.count()).where(rating.answer_id == schema.Answer.id, rating.withdrawn == false())
        enough = judged.correlate(schema.Answer).scalar_subquery() >= self.ratings_wanted
        return self._waiting(person, audio_only).where(or_(self._gold(), ~enough))

    def _gold(self) -> Any:
        item = schema.ProjectItem
        return exists().where(item.answer_id == schema.Answer.id, item.project_id == self.key, has_gold(item))

    def _claims(self, person: int) -> Any:
        """How many other people have judged an answer, or have it before them now."""
        rating, given, mark = schema.Rating, schema.Reservation, schema.QueueMark
        judged = select(func.count()).where(rating.answer_id == schema.Answer.id, rating.withdrawn == false())
        dealt_with = or_(
            exists().where(
                rating.answer_id == given.answer_id,
                rating.annotator_id == given.annotator_id,
                rating.withdrawn == false(),
            ),
            exists().where(
                mark.answer_id == given.answer_id,
                mark.annotator_id == given.annotator_id,
                mark.state == "skipped",
            ),
        )
        before_others = select(func.count()).where(
            given.answer_id == schema.Answer.id,
            given.project_id == self.key,
            given.annotator_id != person,
            ~dealt_with,
        )
        return (
            judged.correlate(schema.Answer).scalar_subquery()
            + before_others.correlate(schema.Answer).scalar_subquery()
        )


def shuffled_in(ids: Sequence[Id], others: Sequence[Id]) -> list[Id]:
    """The ids in their order, with the others at any place among them."""
    ahead = list(ids)
    for other in others:
        ahead.insert(random.randrange(len(ahead) + 1), other)
    return ahead
