"""Whether a tuned model still knows what it knew: questions with one right answer, before and after."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.preferences.clips import Completion
from usam.training.preferences.reference import in_batches, score_all
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


@torch.no_grad()
def likeliest(model: USAM, asked: Sequence[Completion], execution: Execution = Execution()) -> list[bool]:
    """Whether each answer is what the model would write, token by token: as `answered_right` tells, but in
    one pass, and not where an answer differs in case or punctuation alone."""
    found: list[bool] = []
    for run in in_batches(len(asked), BATCH):
        scored = score_all(model, [asked[index] for index in run], execution)
        missed = scored.logprobs < scored.logits.log_softmax(-1).amax(-1)
        found += (torch.bincount(scored.row[missed], minlength=scored.rows) == 0).tolist()
    return found


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
