"""The same checkpoint with one part taken out at inference, asked the questions that decide.

This measures how much the trained model leans on a part. What a model trained without that part could do
takes a training run of its own, see `retraining`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from usam.adapter.saclm import masked_mean
from usam.adapter.tokens import AudioTokens
from usam.evaluation.ablations.deletion import deletion
from usam.evaluation.answering import Frames, Listen, Reply, Report, ask
from usam.evaluation.questions import Question, score
from usam.model.model import USAM

DECIDING = ("transcription", "sounds", "instruments", "kind")


def ablations(
    model: USAM,
    frames: Frames,
    sets: Mapping[str, Sequence[Question]],
    replies: Mapping[str, Sequence[Reply]],
    report: Report,
) -> dict[str, Any]:
    """`ablations`, the figures of every ablation by its name, and SACLM's `deletion` test."""
    questions = [question for name in DECIDING for question in sets[name]]

    def figures(listen: Listen | None) -> Mapping[str, Any]:
        return score(questions, [reply.text for reply in ask(model, frames, questions, report, listen)])

    found: dict[str, Mapping[str, Any]] = {}
    for name, listen in conditions(model).items():
        report(name)
        found[name] = figures(listen)
    report("no Q-Former layers")
    with direct_path(model):
        found["no Q-Former layers"] = figures(None)
    names = [name for name in DECIDING if name != "kind"]
    return {
        "ablations": found,
        "deletion": deletion(
            model,
            frames,
            [question for name in names for question in sets[name]],
            [reply for name in names for reply in replies[name]],
            report,
        ),
    }


def conditions(model: USAM) -> dict[str, Listen]:
    """Other ways to hear: every expert alike, each expert alone, redundant tokens left out."""
    experts = model.adapter.config.expert_names
    uniform = torch.full((len(experts),), 1 / len(experts))
    alone = torch.eye(len(experts))
    return {
        "uniform routing": routed(model, uniform),
        **{f"{name} alone": routed(model, weights) for name, weights in zip(experts, alone, strict=True)},
        "redundant tokens dropped": significant(model),
    }


def routed(model: USAM, weights: Tensor) -> Listen:
    """Every token meets the experts with the same weights [E]."""

    def listen(frames: Tensor, mask: Tensor, questions: Sequence[Tensor]) -> AudioTokens:
        tokens, token_mask = model.adapter.encode(frames, mask)
        routing = weights.to(tokens).expand(*tokens.shape[:2], -1)
        prompt = masked_mean(*model.embed_text(questions))
        return model.adapter.project(tokens, token_mask, prompt, routing=routing)

    return listen


def significant(model: USAM) -> Listen:
    """Only the tokens that SACLM, reading the question, does not hold redundant; all if none is left."""

    def listen(frames: Tensor, mask: Tensor, questions: Sequence[Tensor]) -> AudioTokens:
        audio = model.embed_audio(frames, mask, questions)
        kept = model.significance(audio, questions).total > model.adapter.saclm.threshold
        return audio.keep(kept | ~(kept & audio.mask).any(-1, keepdim=True))

    return listen


@contextmanager
def direct_path(model: USAM) -> Iterator[None]:
    """Without the Q-Former's layers: a token is the projection of its own frames."""
    before, model.adapter.qformer.direct = model.adapter.qformer.direct, True
    try:
        yield
    finally:
        model.adapter.qformer.direct = before
