"""Whether a tuned model still knows what it knew: questions with one right answer, before and after."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from usam.model.model import USAM
from usam.training.preferences.clips import Completion
from usam.training.preferences.reference import in_batches
from usam.training.preferences.replay import answer_ids

BATCH = 16
MOST_TOKENS = 40


@dataclass(frozen=True)
class Retention:
    """Which of the same questions were answered right before and after."""

    before: Sequence[bool]
    after: Sequence[bool]

    @property
    def change(self) -> float:
        return (sum(self.after) - sum(self.before)) / max(1, len(self.before))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % of the change, by the normal approximation of the questions' differences."""
        count = len(self.before)
        if not count:
            return 0.0, 0.0
        squares = sum(one != other for one, other in zip(self.before, self.after, strict=True)) / count
        half = 1.96 * (max(0.0, squares - self.change**2) / count) ** 0.5
        return self.change - half, self.change + half

    @property
    def fell(self) -> bool:
        """Whether the model lost more than chance explains."""
        return self.interval[1] < 0

    def to_json(self) -> dict[str, Any]:
        return {
            "questions": len(self.before),
            "right_before": sum(self.before),
            "right_after": sum(self.after),
            "change": round(self.change, 4),
            "interval": [round(edge, 4) for edge in self.interval],
        }


def answered_right(
    model: USAM, asked: Sequence[Completion], report: Callable[[str], None] = print
) -> list[bool]:
    """Whether the model's own answer to each prompt is the one that is known to be right, word for word."""
    found: list[bool] = []
    for run in in_batches(len(asked), BATCH):
        part = [asked[index] for index in run]
        answers = answer_ids(model, [one.heard for one in part], [one.prompt for one in part], MOST_TOKENS)
        found += [
            words(model.prompts.text(ids, control=False))
            == words(model.prompts.text(one.answer, control=False))
            for ids, one in zip(answers, part, strict=True)
        ]
        report(f"asked again: {len(found)} of {len(asked)}")
    return found


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
