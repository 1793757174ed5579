"""SACLM's deletion test: do redundant tokens matter less to the answer than as many random ones?"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from usam.model import USAM
from usam.training.evaluation.asking import Frames, Reply, Report
from usam.training.evaluation.figures import mean, ratio
from usam.training.evaluation.questions import Question

CLIPS = 120
SEEDS = 8


@torch.inference_mode()
def deletion(
    model: USAM,
    frames: Frames,
    questions: Sequence[Question],
    replies: Sequence[Reply],
    report: Report = lambda message: None,
) -> dict[str, Any]:
    """Loss of log-probability (nats per token) of the model's own answers when audio tokens are left out.

    `redundant`: those that SACLM holds redundant under question and answer, as the app shows them;
    `random`: as many others, a mean over seeds; `ratio`: the one loss over the other. Clips of which nothing
    or everything is redundant say nothing and are left out. At most CLIPS clips, drawn by a fixed seed.
    """
    pairs = list(zip(questions, replies, strict=True))
    pairs = Random(0).sample(pairs, min(CLIPS, len(pairs)))
    shares, losses = [], []
    for index, (question, reply) in enumerate(pairs, 1):
        found = losses_of(model, frames.aligned(question.clip), question.text, reply.ids)
        shares.append(found[0])
        if found[1] is not None:
            losses.append(found[1])
        if index % 40 == 0 or index == len(pairs):
            report(f"deletion test of {index} of {len(pairs)} clips")
    result: dict[str, Any] = {"redundant_share": float(np.mean(shares)), "asked": len(pairs), "seeds": SEEDS}
    if losses:
        redundant, random = np.array(losses).T
        result |= {"redundant": mean(redundant), "random": mean(random), "ratio": ratio(redundant, random)}
    return result


def losses_of(
    model: USAM, frames: Tensor, text: str, answer: Tensor
) -> tuple[float, tuple[float, float] | None]:
    """The share of a clip's tokens (frames U [T, D]) that is redundant, and what leaving out costs.

    The costs are those of the redundant tokens and of random ones, or None if nothing or all is redundant.
    """
    prompt = model.prompts.build(text)
    heard = torch.ones(1, len(frames), dtype=torch.bool, device=frames.device)
    audio = model.embed_audio(frames[None], heard, [prompt.question])
    scores = model.significance(audio, [torch.cat([prompt.question, answer])])
    redundant = scores.total[0] <= model.adapter.saclm.threshold
    count, tokens = int(redundant.sum()), len(redundant)
    if not 0 < count < tokens:
        return count / tokens, None
    dropped = torch.stack(
        [torch.zeros_like(redundant), redundant]
        + [drawn(tokens, count, seed).to(redundant.device) for seed in range(SEEDS)]
    )
    rows = len(dropped)
    variants = replace(audio, tokens=audio.tokens.expand(rows, -1, -1), mask=~dropped)
    loss = model.answer_loss(model.assemble(variants, [prompt] * rows, [answer] * rows))
    change = (loss - loss[0]).tolist()
    return count / tokens, (change[1], float(np.mean(change[2:])))


def drawn(tokens: int, count: int, seed: int) -> Tensor:
    """`count` of `tokens` tokens, true where chosen [tokens]."""
    order = torch.randperm(tokens, generator=torch.Generator().manual_seed(seed))
    return torch.zeros(tokens, dtype=torch.bool).index_fill(0, order[:count], True)
