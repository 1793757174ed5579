"""Answers about clips that nothing is learned from, before and after tuning, to be read side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from usam.model.model import USAM
from usam.training.preferences.clips import Heard, asked_prompt
from usam.training.preferences.reference import in_batches
from usam.training.preferences.replay import answer_ids
from usam.training.preferences.rows import Asked, Preferences

EXAMPLES = "answers.json"
"""The file in the checkpoint's folder."""
MOST = 30
TOKENS = 64  # of an answer
BATCH = 8


def held_out_questions(preferences: Preferences, seed: int, most: int = MOST) -> list[Asked]:
    """Questions people judged answers to, about held-out clips: some of them by chance, each once."""
    asked = list(dict.fromkeys(row.asked for row in preferences.rows if row.asked.held_out))
    asked.sort(key=lambda one: (one.clip, one.question, one.task))
    Random(seed).shuffle(asked)
    return asked[:most]


def likeliest_answers(
    model: USAM,
    asked: Sequence[tuple[Asked, Heard]],
    report: Callable[[str], None] = print,
) -> list[str]:
    """What the model answers to each question, token by token the likeliest."""
    model.eval()
    found: list[str] = []
    for run in in_batches(len(asked), BATCH):
        part = [asked[index] for index in run]
        prompts = [asked_prompt(model, one) for one, _ in part]
        answers = answer_ids(model, [heard for _, heard in part], prompts, TOKENS)
        found += [model.prompts.text(ids, control=False).strip() for ids in answers]
        report(f"answered: {len(found)} of {len(asked)} held-out questions")
    return found


def write_examples(folder: Path, asked: Sequence[Asked], before: Sequence[str], after: Sequence[str]) -> None:
    """`{"answers": [{"clip", "task", "question", "history", "before", "after"}]}`; clips by their hash."""
    answers = [
        {
            "clip": one.clip,
            "task": one.task,
            "question": one.question,
            "history": [{"question": turn.question, "answer": turn.answer} for turn in one.turns],
            "before": first,
            "after": second,
        }
        for one, first, second in zip(asked, before, after, strict=True)
    ]
    text = json.dumps({"answers": answers}, indent=2, ensure_ascii=False)
    (folder / EXAMPLES).write_text(text + "\n", "utf-8")
