"""The annotation queue of one project: each item for as many people as are wanted, gold items among them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, exists, false, func, or_, select
from sqlalchemy.orm import Session

from storage.annotation import leases
from storage.annotation.queue import BATCH, Order, Queue, first_of, in_order, is_marked, judgements
from storage.database import schema
from storage.database.keys import annotator_key
from storage.database.membership import has_gold
from storage.errors import NotFoundError

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
        self,
        annotator: str,
        order: Order = "entropy",
        *,
        audio_only: bool = True,
        limit: int = BATCH,
        page: str | None = None,
        leased: bool = False,
    ) -> list[str]:
        """Ids of the next items; an item goes to no more people than judgements are wanted, whatever `leased`
        is. Those that the person has a draft of come last.

        Gold items come in any place, whatever the order, and to everyone.
        Raises NotFoundError where the project is not open to the person.
        """
        answer = schema.Answer.id
        with self.database.write() as session:
            self._check_open(session, annotator)
            person = annotator_key(session, annotator)
            if page is not None:
                leases.begin(session, annotator, page, "rating")
            here = ~leases.held_elsewhere(annotator, page, answer)
            fresh = self._waiting(person, audio_only).where(~is_marked(person), here)
            claims = judgements() + leases.held_by_others(annotator, answer)
            ordinary = fresh.where(~self._gold(), claims < self.ratings_wanted)
            gold = list(session.scalars(fresh.where(self._gold()).order_by(func.random())))
            # So many are enough to tell whether more than GOLD_SHARE of what is left is gold.
            enough = limit + round(len(gold) / GOLD_SHARE)
            left = len(session.scalars(ordinary.limit(enough)).all())
            share = max(GOLD_SHARE, len(gold) / max(1, len(gold) + left))
            wanted = sum(random.random() < share for _ in range(limit))
            known = gold[: max(wanted, limit - left)]
            ids = first_of(session, in_order(ordinary, order), limit - len(known))
            ids = shuffled_in(ids, known)
            begun = self._begun(person, audio_only).where(here).limit(limit - len(ids))
            ids += session.scalars(begun)
            if page is not None:
                ids = leases.take(session, ids, annotator, page, "rating")
            return [str(id_) for id_ in ids]

    def _check_open(self, session: Session, annotator: str) -> None:
        """Raises NotFoundError."""
        project, member = schema.Project, schema.ProjectMember
        assigned = exists().where(
            member.project_id == project.id,
            member.annotator_id == schema.Annotator.id,
            schema.Annotator.public_id == annotator,
        )
        open_to = project.id == self.key, project.closed == false(), or_(project.open_to_all, assigned)
        if session.scalar(select(project.id).where(*open_to)) is None:
            raise NotFoundError(NOT_OPEN)

    def _wanting(self, person: int, audio_only: bool) -> Select[Any]:
        """Also the gold ones, of which a judgement of everyone is wanted."""
        return self._waiting(person, audio_only).where(or_(self._gold(), judgements() < self.ratings_wanted))

    def _gold(self) -> Any:
        item = schema.ProjectItem
        return exists().where(item.answer_id == schema.Answer.id, item.project_id == self.key, has_gold(item))


def shuffled_in(ids: Sequence[Id], others: Sequence[Id]) -> list[Id]:
    """The ids in their order, with the others at any place among them."""
    ahead = list(ids)
    for other in others:
        ahead.insert(random.randrange(len(ahead) + 1), other)
    return ahead
