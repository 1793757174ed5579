"""How far people disagree about each answer: updated with every rating, so that the queue need not count."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, false, func, insert, select
from sqlalchemy.orm import Session

from storage.database.schema import Answer, Disagreement, Rating

BATCH = 500


def update_disagreement(session: Session, answers: Collection[UUID]) -> None:
    """Measure these answers anew, after their ratings have changed in this transaction."""
    session.flush()
    every = sorted(answers)
    for begin in range(0, len(every), BATCH):
        some = every[begin : begin + BATCH]
        if session.get_bind().dialect.name == "postgresql":
            # Of two who rate one answer at once, the second waits here and then sees both ratings.
            session.execute(_LOCK, {"some": some}).all()
        session.execute(_FORGET, {"some": some})
        session.execute(_MEASURE, {"some": some})


def _spread() -> Select[*tuple[Any, ...]]:
    """How far the ratings of each answer disagree, from 0 to 2: thumbs and scores count alike."""
    thumb, score = Rating.thumb, Rating.score
    apart = (func.coalesce(func.max(thumb) - func.min(thumb), 0)) / 2.0 + (
        func.coalesce(func.max(score) - func.min(score), 0)
    ) / 4.0
    return (
        select(Rating.answer_id, apart.label("spread"))
        .where(Rating.withdrawn == false())
        .group_by(Rating.answer_id)
    )


def _measured() -> Select[*tuple[Any, ...]]:
    apart = _spread().where(Rating.answer_id.in_(_SOME)).subquery()
    return select(apart.c.answer_id, apart.c.spread).where(apart.c.spread > 0)


# Built once, and on tables: to build them for every rating cost as much as to run them.
_SOME: Any = bindparam("some", expanding=True)
_LOCK = select(Answer.id).where(Answer.id.in_(_SOME)).order_by(Answer.id).with_for_update(key_share=True)
_TABLE: Any = Disagreement.__table__
_FORGET = delete(_TABLE).where(_TABLE.c.answer_id.in_(_SOME))
_MEASURE = insert(_TABLE).from_select(["answer_id", "spread"], _measured())
