"""How far people agree: Krippendorff's alpha of the thumbs, the score and each dimension."""

from collections import Counter
from collections.abc import Collection
from typing import Literal

import krippendorff
import numpy as np
import pandas as pd
from sqlalchemy import String, false, select, type_coerce
from sqlalchemy.orm import Session

from storage.analysis.dimensions import most_used
from storage.analysis.intervals import bootstrap
from storage.database.schema import Rating

Level = Literal["nominal", "ordinal"]

MOST_RATINGS = 20_000
"""Ratings, the latest, that agreement is measured on."""


def alpha(values: np.ndarray, level: Level) -> float:
    """Krippendorff's alpha of values [people, answers], nan where someone gave none.

    1 is perfect agreement and 0 that of chance; nan where it is not defined: no answer has two judgements, or
    all judgements are equal.
    """
    return _alpha(*_counted(values), level)


def agreement(session: Session, dimensions: Collection[str] = ()) -> pd.DataFrame:
    """A row for each thing that answers are judged on, of the `dimensions` and the most used others: `judged`
    (its name), `answers` (judged by two or more), `people`, `alpha`, `low`, `high` (of its interval, by
    drawing answers anew)."""
    answer = type_coerce(Rating.answer_id, String)  # as the database has it: it only distinguishes answers
    query = (
        select(answer, Rating.annotator_id, Rating.thumb, Rating.score, Rating.dimensions)
        .where(Rating.withdrawn == false())
        .order_by(Rating.updated_at.desc())
        .limit(MOST_RATINGS)
    )
    rows = [
        (answer, person, {"thumb": thumb, "score": score, **scores})
        for answer, person, thumb, score, scores in session.execute(query)
    ]
    names = most_used(
        Counter(name for *_, values in rows for name in values), ("thumb", "score", *dimensions)
    )
    ratings = [
        (answer, person, name, values[name])
        for answer, person, values in rows
        for name in names
        if values.get(name) is not None
    ]
    frame = pd.DataFrame(ratings, columns=["answer", "person", "judged", "value"])
    shared = frame[frame.duplicated(["answer", "judged"], keep=False)]
    measured = [_measured(str(name), part) for name, part in shared.groupby("judged", sort=False)]
    return pd.DataFrame(measured, columns=["judged", "answers", "people", "alpha", "low", "high"])


def _measured(name: str, ratings: pd.DataFrame) -> tuple[str, int, int, float, float, float]:
    values = ratings.pivot(index="person", columns="answer", values="value").to_numpy(dtype=float)
    level: Level = "nominal" if name == "thumb" else "ordinal"
    counts, domain = _counted(values)
    found = _alpha(counts, domain, level)
    low = high = float("nan")
    if not np.isnan(found):
        low, high = bootstrap(lambda drawn: np.array(_alpha(counts[drawn], domain, level)), len(counts))
    return name, values.shape[1], values.shape[0], found, float(low), float(high)


def _counted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many people gave each value to each answer [answers, values], and those values in order."""
    domain = np.unique(values[~np.isnan(values)])
    counts = np.zeros((values.shape[1], len(domain)), dtype=int)
    for place, value in enumerate(domain):
        counts[:, place] = (values == value).sum(axis=0)
    return counts, domain


def _alpha(counts: np.ndarray, domain: np.ndarray, level: Level) -> float:
    paired = counts[counts.sum(axis=1) > 1]
    if np.count_nonzero(paired.sum(axis=0)) < 2:
        return float("nan")
    return float(krippendorff.alpha(value_counts=paired, value_domain=domain, level_of_measurement=level))
