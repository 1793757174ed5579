"""How far people are apart about each answer: kept up with every rating, so that the queue need not count."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, false, func, insert, select
from sqlalchemy.orm import Session

from storage.schema import Answer, Dispute, Rating

BATCH = 500


def settle(session: Session, answers: Collection[UUID]) -> None:
    """Measure these answers anew, after their ratings have changed in this transaction."""
    session.flush()
    every = sorted(answers)
    for begin in range(0, len(every), BATCH):
        some = every[begin : begin + BATCH]
        # Of two who rate one answer at once on PostgreSQL, the second waits here and then sees both ratings.
        lock = select(Answer.id).where(Answer.id.in_(some)).order_by(Answer.id)
        session.execute(lock.with_for_update(key_share=True)).all()
        session.execute(delete(Dispute).where(Dispute.answer_id.in_(some)))
        apart = _spread().where(Rating.answer_id.in_(some)).subquery()
        disputed = select(apart.c.answer_id, apart.c.spread).where(apart.c.spread > 0)
        session.execute(insert(Dispute).from_select(["answer_id", "spread"], disputed))


def _spread() -> Select[*tuple[Any, ...]]:
    """How far the ratings of each answer lie apart, from 0 to 2: thumbs and scores count alike."""
    thumb, score = Rating.thumb, Rating.score
    apart = (func.coalesce(func.max(thumb) - func.min(thumb), 0)) / 2.0 + (
        func.coalesce(func.max(score) - func.min(score), 0)
    ) / 4.0
    return (
        select(Rating.answer_id, apart.label("spread"))
        .where(Rating.withdrawn == false())
        .group_by(Rating.answer_id)
    )
