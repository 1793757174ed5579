"""How far people agree: Krippendorff's alpha of the thumbs, the score and each dimension."""

import warnings
from typing import Literal

import krippendorff
import numpy as np
import pandas as pd
from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from storage.analysis.intervals import bootstrap
from storage.schema import Rating

Level = Literal["nominal", "ordinal"]

MOST_ANSWERS = 5000
"""Answers, the latest judged, that agreement is measured on."""


def alpha(values: np.ndarray, level: Level) -> float:
    """Krippendorff's alpha of values [people, answers], nan where someone said nothing.

    1 is perfect agreement and 0 that of chance; nan where it is not defined: nobody's judgements of one
    answer can be compared, or all say the same.
    """
    paired = np.count_nonzero(~np.isnan(values), axis=0) > 1
    if not paired.any() or len(np.unique(values[:, paired][~np.isnan(values[:, paired])])) < 2:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(krippendorff.alpha(reliability_data=values, level_of_measurement=level))


def agreement(session: Session) -> pd.DataFrame:
    """A row for each thing that answers are judged on: `judged` (its name), `answers` (judged by two or
    more), `people`, `alpha`, `low`, `high` (of its interval, by drawing answers anew)."""
    shared = (
        select(Rating.answer_id)
        .where(Rating.withdrawn == false())
        .group_by(Rating.answer_id)
        .having(func.count() > 1)
        .order_by(func.max(Rating.updated_at).desc())
        .limit(MOST_ANSWERS)
    )
    rows = session.execute(
        select(Rating.answer_id, Rating.annotator_id, Rating.thumb, Rating.score, Rating.dimensions).where(
            Rating.withdrawn == false(), Rating.answer_id.in_(shared)
        )
    )
    said = [
        (answer, person, name, value)
        for answer, person, thumb, score, dimensions in rows
        for name, value in {"thumb": thumb, "score": score, **dimensions}.items()
        if value is not None
    ]
    frame = pd.DataFrame(said, columns=["answer", "person", "judged", "value"])
    measured = [_measured(name, part) for name, part in frame.groupby("judged", sort=False)]
    return pd.DataFrame(measured, columns=["judged", "answers", "people", "alpha", "low", "high"])


def _measured(name: object, said: pd.DataFrame) -> tuple[str, int, int, float, float, float]:
    values = said.pivot(index="person", columns="answer", values="value").to_numpy(dtype=float)
    values = values[:, np.count_nonzero(~np.isnan(values), axis=0) > 1]
    people = int((~np.isnan(values)).any(axis=1).sum())
    level: Level = "nominal" if name == "thumb" else "ordinal"
    found = alpha(values, level)
    low = high = float("nan")
    if not np.isnan(found):
        low, high = bootstrap(
            lambda drawn: np.array(alpha(values[:, drawn], level)), values.shape[1], resamples=100
        )
    return str(name), values.shape[1], people, found, float(low), float(high)
