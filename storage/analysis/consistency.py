"""How far people agree with themselves on answers that they rated twice."""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.analysis.dimensions import most_used
from storage.analysis.intervals import wilson
from storage.database.schema import Rating, RatingRevision, Repeat

MOST_REPEATS = 20_000
"""Repeats, the latest, that are looked at."""


@dataclass(frozen=True)
class SelfConsistency:
    """judged: `thumb`, `score` or a dimension.  same: of `repeats`, those with the value of the first time.
    close: scores at most one apart; all that are the same, of a thumb.  low, high: 95 % interval of the
    share `same / repeats`."""

    judged: str
    repeats: int
    people: int
    same: int
    close: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.same / self.repeats


def self_consistency(
    session: Session, person: int | None = None, dimensions: Collection[str] = ()
) -> list[SelfConsistency]:
    """Of everyone, or of one person; the thumb first, then the `dimensions` and the most used others. What
    was left out either time does not count."""
    first, again = RatingRevision, Repeat
    rows = (
        select(
            Rating.annotator_id, first.thumb, first.score, first.dimensions,
            again.thumb, again.score, again.dimensions,
        )
        .join(Rating, Rating.id == again.rating_id)
        .join(first, (first.rating_id == again.rating_id) & (first.number == again.number))
        .order_by(again.created_at.desc())
        .limit(MOST_REPEATS)
    )  # fmt: skip
    if person is not None:
        rows = rows.where(Rating.annotator_id == person)
    pairs = [
        (who, name, before[name], value)
        for who, thumb, score, dimensions, thumb_again, score_again, dimensions_again in session.execute(rows)
        for before in ({"thumb": thumb, "score": score, **dimensions},)
        for name, value in {"thumb": thumb_again, "score": score_again, **dimensions_again}.items()
        if value is not None and before.get(name) is not None
    ]
    frame = pd.DataFrame(pairs, columns=["person", "judged", "first", "again"])
    order = {"thumb": 0, "score": 1}
    chosen = most_used(frame["judged"].value_counts().to_dict(), ("thumb", "score", *dimensions))
    names = sorted(chosen, key=lambda name: (order.get(name, 2), name))
    return [_measured(name, frame[frame["judged"] == name]) for name in names]


def _measured(name: str, pairs: pd.DataFrame) -> SelfConsistency:
    apart = (pairs["first"] - pairs["again"]).abs()
    same = int((apart == 0).sum())
    close = same if name == "thumb" else int((apart <= 1).sum())
    return SelfConsistency(
        name, len(pairs), pairs["person"].nunique(), same, close, *wilson(same, len(pairs))
    )
