"""SACLM's deletion test: do redundant tokens matter less to the answer than as many others like them?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from usam.audio.clip import Clip
from usam.audio.samples import SAMPLE_RATE
from usam.engine.engine import Engine
from usam.evaluation.answering import Reply, Report
from usam.evaluation.metrics import mean, ratio
from usam.evaluation.questions import Question
from usam.schema.trace import Supervision

CLIPS = 120
SEEDS = 5
LOUDNESS_CLASSES = 4  # quarters of a clip's tokens, the quietest first


@dataclass(frozen=True)
class Costs:
    """How many of a clip's tokens are held redundant, all of them and by place in their window, and the loss
    without them, without as many random ones and without as many matched ones.

    The losses are 0 where nothing or everything is redundant.
    """

    places: tuple[tuple[int, int], ...]
    """Redundant tokens and all tokens at each place of a window."""
    redundant: float = 0.0
    random: float = 0.0
    matched: float = 0.0

    @property
    def share(self) -> float:
        return sum(count for count, _ in self.places) / sum(total for _, total in self.places)


@torch.inference_mode()
def deletion(
    engine: Engine,
    questions: Sequence[Question],
    replies: Sequence[Reply],
    report: Report = lambda message: None,
) -> dict[str, Any]:
    """Loss of log-probability (nats per token) of the model's own answers when audio tokens are left out.

    `redundant`: those that SACLM holds redundant; `random`: as many, drawn from all, a mean over seeds;
    `matched`: as many, drawn from all at the same places in their windows and as loud, so that neither where
    a token lies nor how quiet it is explains the difference; `ratio` and `matched_ratio`: the loss without
    the redundant ones over that without the random or the matched ones. `by_place`: the share of redundant
    tokens at each place of a window. Once as the app shows them, supervised by `question+answer`, which
    chooses with the answer in view; once by the `question` alone. Clips of which nothing or everything is
    redundant say nothing and are left out. At most CLIPS clips, drawn by a fixed seed.
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
    counted = np.array([cost.places for cost in costs]).sum(0)
    found["by_place"] = [float(count / total) if total else 0.0 for count, total in counted]
    losses = [(cost.redundant, cost.random, cost.matched) for cost in costs if 0 < cost.share < 1]
    if losses:
        redundant, random, matched = np.array(losses).T
        found |= {"redundant": mean(redundant), "random": mean(random), "matched": mean(matched)}
        found |= {"ratio": ratio(redundant, random), "matched_ratio": ratio(redundant, matched)}
    return found


def costs_of(engine: Engine, clip: Clip, text: str, answer: Tensor, supervision: Supervision) -> Costs:
    """What an answer's token ids lose when tokens of the clip are left out."""
    model = engine.model
    prompt = model.prompts.build(text)
    audio = engine.encode(clip, text)
    read = torch.cat([prompt.question, answer]) if supervision == "question+answer" else prompt.question
    redundant = model.significance(audio, [read]).total[0] <= model.adapter.saclm.threshold
    redundant = redundant.cpu()
    count, tokens = int(redundant.sum()), len(redundant)
    place = torch.arange(tokens) % engine.config.queries_per_window
    places = tuple(
        (int(redundant[place == at].sum()), int((place == at).sum()))
        for at in range(engine.config.queries_per_window)
    )
    if not 0 < count < tokens:
        return Costs(places)
    classes = place * LOUDNESS_CLASSES + loudness(clip.waveform, tokens, engine.config.token_seconds)
    dropped = torch.stack(
        [torch.zeros_like(redundant), redundant]
        + [drawn(tokens, count, seed) for seed in range(SEEDS)]
        + [matched(redundant, classes, seed) for seed in range(SEEDS)]
    ).to(audio.tokens.device)
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
    return Costs(
        places, change[1], float(np.mean(change[2 : 2 + SEEDS])), float(np.mean(change[2 + SEEDS :]))
    )


def loudness(waveform: Tensor, tokens: int, token_seconds: float) -> Tensor:
    """Which quarter of a clip's tokens each belongs to by its loudness [tokens], 0 the quietest."""
    size = round(token_seconds * SAMPLE_RATE)
    heard = waveform.float().cpu()[: tokens * size]
    power = torch.nn.functional.pad(heard, (0, tokens * size - len(heard))).view(tokens, size)
    rank = power.square().mean(-1).argsort(stable=True).argsort(stable=True)
    return rank * LOUDNESS_CLASSES // tokens


def matched(redundant: Tensor, classes: Tensor, seed: int) -> Tensor:
    """Tokens drawn from all: of each class as many as are redundant, true where chosen [tokens].

    They may be redundant themselves, as the random ones may, which draws the two losses together.
    """
    chosen = torch.zeros_like(redundant)
    for one in classes.unique().tolist():
        members = (classes == one).nonzero().flatten()
        chosen[members] = drawn(len(members), int(redundant[members].sum()), seed)
    return chosen


def drawn(tokens: int, count: int, seed: int) -> Tensor:
    """`count` of `tokens` tokens, true where chosen [tokens]."""
    order = torch.randperm(tokens, generator=torch.Generator().manual_seed(seed))
    return torch.zeros(tokens, dtype=torch.bool).index_fill(0, order[:count], True)
