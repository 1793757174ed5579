"""Judgements that are known to be right, and how far people's own agree with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from storage.analysis.intervals import wilson
from storage.errors import RatingError
from storage.ratings.validation import judgement

SCORES_CLOSE = 1
"""How far a score may lie from the known one and still agree with it."""
GOOD_FROM, BAD_TO = 4, 2
"""Scores that say good or bad, where a person gave no thumb."""
_WORDS = {"good": 1, "bad": -1}


@dataclass(frozen=True)
class Gold:
    """What is known: the thumb, 1 or -1, the score, 1 to 5, and the text that the answer should have been."""

    thumb: int | None = None
    score: int | None = None
    text: str | None = None

    @classmethod
    def of(cls, thumb: int | None = None, score: int | None = None, text: str | None = None) -> Gold:
        """Raises RatingError when nothing is known, or it is not what a rating can be."""
        known = judgement(thumb=thumb, score=score, correction=text)
        gold = cls(known["thumb"], known["score"], known["correction"])
        if gold == cls() or gold.thumb == 0:
            raise RatingError("A known judgement is good or bad, a score from 1 to 5, or a preferred text.")
        return gold

    @classmethod
    def parse(cls, cell: str) -> Gold | None:
        """What a table's cell says: `good`, `bad`, a score, or any other text, the preferred one; None where
        it is empty. Raises RatingError."""
        text = cell.strip()
        if not text:
            return None
        if text.lower() in _WORDS:
            return cls.of(thumb=_WORDS[text.lower()])
        return cls.of(score=int(text)) if text.isdecimal() else cls.of(text=text)

    @classmethod
    def in_row(cls, row: Any) -> Gold | None:
        """What a row of a table with the columns of `schema.Gold` says."""
        gold = cls(row.gold_thumb, row.gold_score, row.gold_text)
        return None if gold == cls() else gold

    def columns(self) -> dict[str, Any]:
        return {"gold_thumb": self.thumb, "gold_score": self.score, "gold_text": self.text}

    def agrees(self, thumb: int | None, score: int | None, correction: str | None) -> bool | None:
        """Whether a person's rating is right in everything that is known and that they judged; None where
        they judged none of it. A score says good or bad too."""
        given = thumb or (_thumb_of(score) if score else None)
        checks = [
            given == self.thumb if self.thumb and given else None,
            abs(score - self.score) <= SCORES_CLOSE if self.score and score else None,
            _folded(correction) == _folded(self.text) if self.text and correction else None,
        ]
        judged = [check for check in checks if check is not None]
        return all(judged) if judged else None

    def __str__(self) -> str:
        thumb = {1: "good", -1: "bad"}.get(self.thumb or 0, "")
        score = f"score {self.score}" if self.score else ""
        return ", ".join(part for part in (thumb, score, f"“{self.text}”" if self.text else "") if part)


@dataclass(frozen=True)
class GoldScore:
    """How many gold items a person judged, on how many of these they agree with what is known, and the 95 %
    interval of that share."""

    agreed: int
    judged: int

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.agreed, self.judged)


def _thumb_of(score: int) -> int | None:
    return 1 if score >= GOOD_FROM else -1 if score <= BAD_TO else None


def _folded(text: str | None) -> str:
    """But for case, spacing and a last full stop."""
    return " ".join((text or "").split()).rstrip(".").casefold()
