"""Many questions, each asked of the engine as the app asks it: the same decoder, beams and precision.

Questions about one clip follow one another, so that the engine encodes it once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from usam.engine.engine import Engine
from usam.evaluation.questions import Question
from usam.schema.interventions import Intervention

Report = Callable[[str], None]
REPORT_EVERY = 100  # questions


@dataclass(frozen=True)
class Reply:
    """An answer: its text and token ids with the end mark, and the routing [L, E] of the clip's tokens."""

    text: str
    ids: Tensor
    routing: Tensor


def ask(
    engine: Engine,
    questions: Sequence[Question],
    report: Report = lambda message: None,
    intervention: Intervention | None = None,
) -> list[Reply]:
    """Answers to the questions, in their order, greedy or by the beams of their task.

    `intervention` changes the audio tokens of every clip before the language model reads them.
    """
    replies: dict[int, Reply] = {}
    for index in by_clip(questions):
        question = questions[index]
        answer = engine.ask(
            question.clip.audio,
            question.text,
            task=question.task,
            max_new_tokens=question.max_new_tokens,
            intervention=intervention,
        )
        routing = torch.tensor([token.routing for token in answer.trace.tokens])
        replies[index] = Reply(answer.text, torch.tensor(answer.ids, dtype=torch.long), routing)
        if len(replies) % REPORT_EVERY == 0 or len(replies) == len(questions):
            report(f"answered {len(replies)} of {len(questions)} questions")
    return [replies[index] for index in range(len(questions))]


def by_clip(questions: Sequence[Question]) -> list[int]:
    """Indices of the questions, those about one clip in a row; clips come as they are first asked about."""
    first: dict[int, int] = {}
    for index, question in enumerate(questions):
        first.setdefault(id(question.clip), index)
    return sorted(range(len(questions)), key=lambda index: (first[id(questions[index].clip)], index))
