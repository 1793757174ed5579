"""SACLM's deletion test: do redundant tokens matter less to the answer than as many random ones?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from usam.audio.clip import Clip
from usam.engine.engine import Engine
from usam.evaluation.answering import Reply, Report
from usam.evaluation.metrics import mean, ratio
from usam.evaluation.questions import Question
from usam.schema.trace import Supervision

CLIPS = 120
SEEDS = 5


@dataclass(frozen=True)
class Costs:
    """Share of a clip's tokens held redundant, and the loss without them and without as many random ones.

    The losses are 0 where nothing or everything is redundant.
    """

    share: float
    redundant: float = 0.0
    random: float = 0.0


@torch.inference_mode()
def deletion(
    engine: Engine,
    questions: Sequence[Question],
    replies: Sequence[Reply],
    report: Report = lambda message: None,
) -> dict[str, Any]:
    """Loss of log-probability (nats per token) of the model's own answers when audio tokens are left out.

    `redundant`: those that SACLM holds redundant; `random`: as many others, a mean over seeds; `ratio`: the
    one loss over the other. Once as the app shows them, supervised by `question+answer`, which chooses with
    the answer in view; once by the `question` alone. Clips of which nothing or everything is redundant say
    nothing and are left out. At most CLIPS clips, drawn by a fixed seed.
    """
    pairs = list(zip(questions, replies, strict=True))
    pairs = Random(0).sample(pairs, min(CLIPS, len(pairs)))
    costs: dict[Supervision, list[Costs]] = {supervision: [] for supervision in get_args(Supervision)}
    for index, (question, reply) in enumerate(pairs, 1):
        for supervision, found in costs.items():
            found.append(costs_of(engine, question.clip.audio, question.text, reply.ids, supervision))
        if index % 40 == 0 or index == len(pairs):
            report(f"deletion test of {index} of {len(pairs)} clips")
    result: dict[str, Any] = {"asked": len(pairs), "seeds": SEEDS}
    return result | {supervision: summary(found) for supervision, found in costs.items()}


def summary(costs: Sequence[Costs]) -> dict[str, Any]:
    found: dict[str, Any] = {"redundant_share": float(np.mean([cost.share for cost in costs]))}
    losses = [(cost.redundant, cost.random) for cost in costs if 0 < cost.share < 1]
    if losses:
        redundant, random = np.array(losses).T
        found |= {"redundant": mean(redundant), "random": mean(random), "ratio": ratio(redundant, random)}
    return found


def costs_of(engine: Engine, clip: Clip, text: str, answer: Tensor, supervision: Supervision) -> Costs:
    """What an answer's token ids lose when tokens of the clip are left out."""
    model = engine.model
    prompt = model.prompts.build(text)
    audio = engine.encode(clip, text)
    read = torch.cat([prompt.question, answer]) if supervision == "question+answer" else prompt.question
    redundant = model.significance(audio, [read]).total[0] <= model.adapter.saclm.threshold
    count, tokens = int(redundant.sum()), len(redundant)
    if not 0 < count < tokens:
        return Costs(count / tokens)
    dropped = torch.stack(
        [torch.zeros_like(redundant), redundant]
        + [drawn(tokens, count, seed).to(redundant.device) for seed in range(SEEDS)]
    )
    rows = len(dropped)
    every = replace(
        audio,
        tokens=audio.tokens.expand(rows, -1, -1),
        mask=audio.mask.expand(rows, -1),
        owner=audio.owner.expand(rows, -1),
    )
    variants = every.keep(~dropped)
    loss = model.answer_loss(model.assemble(variants, [prompt] * rows, [answer] * rows))
    change = (loss - loss[0]).tolist()
    return Costs(count / tokens, change[1], float(np.mean(change[2:])))


def drawn(tokens: int, count: int, seed: int) -> Tensor:
    """`count` of `tokens` tokens, true where chosen [tokens]."""
    order = torch.randperm(tokens, generator=torch.Generator().manual_seed(seed))
    return torch.zeros(tokens, dtype=torch.bool).index_fill(0, order[:count], True)
