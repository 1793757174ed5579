"""Stage 1: audio tokens learn to point at words, without a pass through the LLM.

Speech by CTC on its transcript, sounds and music by the words of their label and by what the audio encoder's
own head hears in every frame. The speech encoder's upper layers are tuned along by LoRA. The router learns
alongside, with a light term that ties each kind of audio to an expert, and SACLM with its own loss, its
predictive score learning from CTC's blanks what is redundant.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from usam.data.frame_cache import prefetch
from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.stages.batches import AlignmentBatch, Collator, Pool, draw, encode_frames
from usam.training.stages.losses import (
    BLANK_WEIGHT,
    ROUTING_WEIGHT,
    SACLM_WEIGHT,
    blank_loss,
    routing_loss,
    saclm_loss,
    target_text,
    word_losses,
)
from usam.training.trainer import Budget, draws, train

SACLM_FROM = 1500  # steps


def alignment_losses(
    model: USAM,
    batch: AlignmentBatch,
    step: int,
    saclm_from: int | None,
    execution: Execution = Execution(),
) -> dict[str, Tensor]:
    """All losses of one batch; "loss" is their weighted sum. SACLM joins at its step, or never."""
    with execution.autocast(model.device):
        audio = model.embed_audio(encode_frames(model, batch, tuning=True), batch.mask, batch.questions)
    assert audio.logits is not None
    log_probs = audio.logits.float().log_softmax(-1)
    parts = word_losses(audio, log_probs, batch)
    loss = sum(parts.values(), log_probs.new_zeros(()))
    parts["domain"] = routing_loss(audio, [item.example.kind for item in batch.items])
    loss = loss + ROUTING_WEIGHT * parts["domain"]
    if saclm_from is not None and step >= saclm_from:
        texts = [target_text(model, item) for item in batch.items]
        parts["saclm"] = saclm_loss(model, audio, texts)
        parts["blank"] = blank_loss(model, audio, log_probs, texts)
        loss = loss + SACLM_WEIGHT * parts["saclm"] + BLANK_WEIGHT * parts["blank"]
    return {"loss": loss, **parts}


def direct_losses(
    model: USAM, batch: AlignmentBatch, step: int, execution: Execution = Execution()
) -> dict[str, Tensor]:
    """CTC alone, on a batch of speech."""
    with execution.autocast(model.device):
        audio = model.embed_audio(encode_frames(model, batch, tuning=False), batch.mask, batch.questions)
    assert audio.logits is not None
    return {"loss": word_losses(audio, audio.logits.float().log_softmax(-1), batch)["ctc"]}


def run_direct(
    model: USAM,
    collate: Collator,
    pools: Sequence[Pool],
    budget: Budget,
    folder: Path,
    seed: int = 0,
    execution: Execution = Execution(),
) -> None:
    """A few minutes of CTC on speech with the Q-Former's layers left out.

    Everything at once from random weights stays on the plateau where every token is blank.
    """
    torch.manual_seed(seed)
    model.train()
    model.llm.requires_grad_(False)
    model.adapter.qformer.direct = True
    spoken = [pool for pool in pools if any(item.sequence for item in pool.items)]
    groups = [{"params": list(model.adapter.parameters()), "lr": 1e-3}]
    batches = prefetch(draw(spoken, 24.0, draws(folder, seed)), collate)
    losses = partial(direct_losses, model, execution=execution)
    train(model.adapter, groups, batches, losses, budget, folder, execution=execution)
    model.adapter.qformer.direct = False


def run_alignment(
    model: USAM,
    collate: Collator,
    pools: Sequence[Pool],
    budget: Budget,
    folder: Path,
    seed: int = 0,
    started: bool = False,
    with_saclm: bool = True,
    execution: Execution = Execution(),
) -> None:
    """Train the whole path from frames to words. SACLM joins once tokens mean something.

    `started` is a model that speaks already, which smaller steps improve on.
    """
    torch.manual_seed(seed)
    model.train()
    model.llm.requires_grad_(False)
    adapter = model.adapter
    layers = list(adapter.qformer.layers.parameters())
    slow = list(adapter.qformer.slow.parameters()) if adapter.qformer.slow is not None else []
    others = [p for p in adapter.parameters() if all(p is not other for other in [*layers, *slow])]
    groups = [
        {"params": others, "lr": 4e-4 if started else 8e-4},
        {"params": slow, "lr": 8e-4},
        {"params": layers, "lr": 2.5e-4},
        {"params": [p for p in model.encoders.parameters() if p.requires_grad], "lr": 4e-4},
    ]
    batches = prefetch(draw(pools, 32.0, draws(folder, seed)), collate)
    saclm_from = (0 if started else saclm_start(budget)) if with_saclm else None
    losses = partial(alignment_losses, model, saclm_from=saclm_from, execution=execution)
    train(model, groups, batches, losses, budget, folder, execution=execution)


def saclm_start(budget: Budget) -> int:
    """The step from which tokens mean something; a third of a run that is shorter than usual."""
    return SACLM_FROM if budget.steps is None else min(SACLM_FROM, budget.steps // 3)
