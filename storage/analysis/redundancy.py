"""Whether SACLM's flags hold: of the tokens that people heard alone, how many did not matter."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.analysis.intervals import bootstrap, wilson
from storage.database.schema import Answer, TokenVerdict

MOST_VERDICTS = 100_000
"""Verdicts, the latest, that are counted."""

COLUMNS = ["checkpoint", "flagged", "tokens", "unclear", "answers", "people", "share", "low", "high"]


@dataclass(frozen=True)
class _Found:
    tokens: int
    unclear: int
    answers: int
    people: int
    share: float
    low: float
    high: float


def flag_precision(session: Session) -> pd.DataFrame:
    """A row (COLUMNS) for each checkpoint and for flagged and kept tokens apart, the flagged first.

    share: of `tokens` with a clear verdict, those that did not matter; of flagged ones that is the precision
    of the flags, of kept ones the rate to compare it with.  low, high: of the 95 % interval, the wider
    one of Wilson's and of drawing whole answers anew, since tokens of one answer are alike.
    """
    rows = session.execute(
        select(
            Answer.model_fingerprint,
            TokenVerdict.flagged,
            TokenVerdict.verdict,
            TokenVerdict.answer_id,
            TokenVerdict.annotator_id,
        )
        .join(Answer, Answer.id == TokenVerdict.answer_id)
        .order_by(TokenVerdict.updated_at.desc())
        .limit(MOST_VERDICTS)
    )
    frame = pd.DataFrame(rows.all(), columns=["checkpoint", "flagged", "verdict", "answer", "person"])
    found = [
        (checkpoint, bool(flagged), *vars(_measured(part)).values())
        for (checkpoint, flagged), part in frame.groupby(["checkpoint", "flagged"])
    ]
    table = pd.DataFrame(found, columns=COLUMNS)
    return table.sort_values(["checkpoint", "flagged"], ascending=[True, False], ignore_index=True)


def _measured(verdicts: pd.DataFrame) -> _Found:
    clear = verdicts[verdicts["verdict"] != "unclear"]
    idle = (clear["verdict"] == "did_not").to_numpy(dtype=float)
    counts = clear.assign(idle=idle).groupby("answer")["idle"].agg(["sum", "count"]).to_numpy(dtype=float)
    tokens, answers = len(clear), len(counts)
    low, high = wilson(idle.sum(), tokens)
    if answers > 1:
        drawn = bootstrap(lambda units: np.divide(*counts[units].sum(axis=0)), answers)
        low, high = min(low, float(drawn[0])), max(high, float(drawn[1]))
    return _Found(
        tokens=tokens,
        unclear=len(verdicts) - tokens,
        answers=answers,
        people=clear["person"].nunique(),
        share=float(idle.mean()) if tokens else float("nan"),
        low=low,
        high=high,
    )
