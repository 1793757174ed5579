"""Ratings beside what made the answer, and how they differ between groups of answers."""

from typing import Any

import pandas as pd
from sqlalchemy import false, select
from sqlalchemy.orm import Session

from storage.analysis.intervals import Z, wilson
from storage.database.schema import Answer, Rating, TraceStatistics

MOST_RATINGS = 50_000
"""Ratings, the latest, that are looked at."""
BINS = 3

GROUPED = ["group", "count", "good", "good_low", "good_high", "scored", "score", "score_low", "score_high"]


def ratings(session: Session) -> pd.DataFrame:
    """The latest ratings that count: `rated_at`, `thumb`, `score`, `task`, `quantization`, `checkpoint` (its
    fingerprint), `dominant_expert`, `router_entropy`, `redundant_share`."""
    columns: tuple[Any, ...] = (
        Rating.updated_at.label("rated_at"), Rating.thumb, Rating.score, Answer.task, Answer.quantization,
        Answer.model_fingerprint.label("checkpoint"),
        TraceStatistics.dominant_expert, TraceStatistics.router_entropy, TraceStatistics.redundant_share,
    )  # fmt: skip
    rows = session.execute(
        select(*columns)
        .join(Answer, Rating.answer_id == Answer.id)
        .outerjoin(TraceStatistics, TraceStatistics.answer_id == Answer.id)
        .where(Rating.withdrawn == false())
        .order_by(Rating.updated_at.desc())
        .limit(MOST_RATINGS)
    )
    # Column by column: pandas looks at rows one by one, which took as long as to fetch them.
    values = list(zip(*rows.all(), strict=True)) or [()] * len(columns)
    frame = pd.DataFrame({column.key: cells for column, cells in zip(columns, values, strict=True)})
    return frame.astype(
        {"thumb": "Float64", "score": "Float64", "router_entropy": float, "redundant_share": float}
    ).assign(rated_at=pd.to_datetime(frame["rated_at"], utc=True))


def by_day(frame: pd.DataFrame) -> pd.DataFrame:
    """Ratings a day (UTC), none left out between the first and the last: `good`, `bad`, `other` by date."""
    kinds = frame["thumb"].map({1: "good", -1: "bad"}).fillna("other")
    days = frame["rated_at"].dt.floor("D")
    counts = pd.crosstab(days, kinds).reindex(columns=["good", "bad", "other"], fill_value=0)
    return counts if counts.empty else counts.asfreq("D", fill_value=0)


def by_group(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row (GROUPED) for each value of a column: `count` thumbs, up or down, the share of good ones; and
    `scored` scores with their mean; each with its interval."""
    rows = [(str(group), *_summary(part)) for group, part in frame.groupby(column, observed=True)]
    return pd.DataFrame(rows, columns=GROUPED)


def by_level(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The same for a measured column, cut into BINS ranges with about as many ratings each."""
    known = frame[frame[column].notna()]
    if known.empty:
        return by_group(known, column)
    levels = pd.qcut(known[column], BINS, duplicates="drop", precision=2)
    if levels.cat.categories.empty:  # everyone's value is the same
        return by_group(known.assign(level=f"{known[column].iloc[0]:.2f}"), "level")
    # Ranges that look alike once they are rounded are one.
    names = [f"{max(part.left, 0):.2f}–{part.right:.2f}" for part in levels.cat.categories]
    return by_group(known.assign(level=[names[code] for code in levels.cat.codes]), "level")


def _summary(part: pd.DataFrame) -> tuple[float, ...]:
    thumbs = part["thumb"][part["thumb"].isin((-1, 1))]
    scores = part["score"].dropna().astype(float)
    good, count, scored = int((thumbs == 1).sum()), len(thumbs), len(scores)
    mean = float(scores.mean()) if scored else float("nan")
    half = Z * float(scores.std()) / scored**0.5 if scored > 1 else float("nan")
    share = good / count if count else float("nan")
    return (count, share, *wilson(good, count), scored, mean, mean - half, mean + half)
