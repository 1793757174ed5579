"""What comparisons show: each contestant's strength (Bradley-Terry), and bias by side and length."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from storage.analysis.intervals import bootstrap, wilson
from storage.database.schema import Answer, Comparison

MOST_VOTES = 100_000
"""Votes, the latest, that are counted."""
_PRIOR = 0.5  # of a win and of a loss against an average contestant, so that every strength is finite
_STEPS, _TOLERANCE = 2000, 1e-9


@dataclass(frozen=True)
class Bias:
    """How often the side with an irrelevant property won. share: of `count` decided votes; 0.5 means no
    bias."""

    name: str
    count: int
    share: float
    low: float
    high: float


def bradley_terry(wins: np.ndarray) -> np.ndarray:
    """Strengths [n] from wins [n, n], of row over column; their exponentials are the odds, their mean is 0.

    A tie is half a win for either. Found by the minorisation-maximisation of Hunter (2004).
    """
    games = wins + wins.T
    won = wins.sum(axis=1) + _PRIOR
    strength = np.ones(len(wins))
    for _ in range(_STEPS):
        against = (games / (strength[:, None] + strength[None, :])).sum(axis=1)
        stronger = won / (against + 2 * _PRIOR / (strength + 1.0))
        stronger /= np.exp(np.log(stronger).mean())
        settled = np.abs(stronger - strength).max() < _TOLERANCE
        strength = stronger
        if settled:
            break
    return np.log(strength)


def votes(session: Session) -> pd.DataFrame:
    """The latest votes: `a`, `b` (contestants: checkpoint, quantisation, sampling), `winner`, `swapped`,
    `length_a`, `length_b` (characters)."""
    a, b = aliased(Answer), aliased(Answer)
    made = ("model_fingerprint", "quantization", "temperature")
    rows = session.execute(
        select(
            *(getattr(a, name) for name in made),
            *(getattr(b, name) for name in made),
            Comparison.winner,
            Comparison.swapped,
            func.length(a.text),
            func.length(b.text),
        )
        .join(a, Comparison.answer_a_id == a.id)
        .join(b, Comparison.answer_b_id == b.id)
        .order_by(Comparison.created_at.desc())
        .limit(MOST_VOTES)
    )
    return pd.DataFrame(
        [(_contestant(*row[:3]), _contestant(*row[3:6]), *row[6:]) for row in rows],
        columns=["a", "b", "winner", "swapped", "length_a", "length_b"],
    )


def strengths(votes: pd.DataFrame) -> pd.DataFrame:
    """A row for each contestant, the strongest first: `contestant`, `votes`, `strength`, `low`, `high`.

    Votes between two answers of one contestant, and those that found both bad, are not counted.
    """
    counted = votes[(votes["a"] != votes["b"]) & (votes["winner"] != "both_bad")]
    names = sorted({*counted["a"], *counted["b"]})
    columns = ["contestant", "votes", "strength", "low", "high"]
    if not names:
        return pd.DataFrame(columns=columns)
    place = {name: i for i, name in enumerate(names)}
    a, b = counted["a"].map(place).to_numpy(), counted["b"].map(place).to_numpy()
    for_a = counted["winner"].map({"a": 1.0, "tie": 0.5, "b": 0.0}).to_numpy()

    def strength(drawn: np.ndarray) -> np.ndarray:
        wins = np.zeros((len(names), len(names)))
        np.add.at(wins, (a[drawn], b[drawn]), for_a[drawn])
        np.add.at(wins, (b[drawn], a[drawn]), 1 - for_a[drawn])
        return bradley_terry(wins)

    low, high = bootstrap(strength, len(counted))
    counts = np.bincount(np.concatenate([a, b]), minlength=len(names))
    found = strength(np.arange(len(counted)))
    table = pd.DataFrame(dict(zip(columns, (names, counts, found, low, high), strict=True)))
    return table.sort_values("strength", ascending=False, ignore_index=True)


def biases(votes: pd.DataFrame) -> list[Bias]:
    """How often the left answer won, and how often the longer one."""
    decided = votes[votes["winner"].isin(("a", "b"))]
    a_won = (decided["winner"] == "a").to_numpy(dtype=bool)
    left_won = a_won != decided["swapped"].to_numpy(dtype=bool)
    longer_a = (decided["length_a"] - decided["length_b"]).to_numpy(dtype=float)
    unequal = longer_a != 0
    return [
        _bias("left side", left_won),
        _bias("longer answer", (a_won == (longer_a > 0))[unequal]),
    ]


def _bias(name: str, won: np.ndarray) -> Bias:
    count, wins = len(won), int(won.sum())
    return Bias(name, count, wins / count if count else float("nan"), *wilson(wins, count))


def _contestant(fingerprint: str, quantization: str, temperature: float) -> str:
    sampling = f"temperature {temperature:g}" if temperature else "greedy"
    return f"{fingerprint[:8]} · {quantization} · {sampling}"
