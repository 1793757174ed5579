"""Which of the dimensions in a database get a column or a row of their own.

Databases may hold thousands of names: they were not limited once, and a team renames its own. Each costs
time, so that only so many are looked at.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, func, select, true
from sqlalchemy.orm import Session

from storage.database.schema import Rating

MOST_NAMES = 32


@dataclass(frozen=True)
class Dimensions:
    """names: those that are looked at, in order.  left_out: how many scores were given on others."""

    names: tuple[str, ...]
    left_out: int


def dimensions_in(
    session: Session, known: Collection[str] = (), where: ColumnElement[bool] | None = None
) -> Dimensions:
    """Of the ratings that count now. known: what answers are scored on today; these come before others.
    where: which ratings, by default all."""
    counts: Counter[str] = Counter()
    rows = (
        select(Rating.dimensions, func.count())
        .where(Rating.withdrawn == false(), true() if where is None else where)
        .group_by(Rating.dimensions)
        .execution_options(yield_per=1000)
    )
    for dimensions, ratings in session.execute(rows):
        for name in dimensions:
            counts[name] += ratings
    names = most_used(counts, known)
    return Dimensions(tuple(sorted(names)), counts.total() - sum(counts[name] for name in names))


def most_used(counts: Mapping[str, int], known: Collection[str] = ()) -> list[str]:
    """At most MOST_NAMES of the names: the known ones, then those used most."""
    return sorted(counts, key=lambda name: (name not in known, -counts[name], name))[:MOST_NAMES]
