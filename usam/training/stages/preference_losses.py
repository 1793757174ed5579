"""Losses on preferences: as they were published, and of what people say of answers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.preferences.clips import collate
from usam.training.preferences.judgements import Judged, MarkItem, PairItem, ReplayItem, ThumbItem
from usam.training.preferences.reference import Scored, divergence, score_all
from usam.training.preferences.settings import Settings


def dpo_loss(
    chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float
) -> Tensor:
    """-log sigmoid(beta ((log p(w) - log r(w)) - (log p(l) - log r(l)))) of each pair [B].

    Rafailov et al., "Direct Preference Optimization" (2023), equation 7; arguments are log-probabilities [B]
    of whole answers under the policy and the reference.
    """
    return -F.logsigmoid(beta * ((chosen - ref_chosen) - (rejected - ref_rejected)))


def kto_loss(logps: Tensor, ref: Tensor, desirable: Tensor, kl: Tensor, beta: float) -> Tensor:
    """1 - sigmoid(beta (log p(y) - log r(y) - kl)) of what is wanted, the other way round of what is not [B].

    Ethayarajh et al., "KTO" (2024), equation 8, with both weights 1; arguments as for `dpo_loss`, and `kl`
    from `kto_kl`.
    """
    gain = logps - ref - kl
    return 1 - F.sigmoid(beta * gain.where(desirable, -gain))


def kto_kl(logps: Tensor, ref: Tensor) -> Tensor:
    """KTO's estimate of how far the policy is from the reference, of answers to other questions [B]; a scalar
    without gradients, at least 0."""
    return (logps - ref).mean().clamp_min(0).detach()


def preference_losses(
    model: USAM,
    settings: Settings,
    weights: dict[bool, float],
    judged: Sequence[Judged],
    replay: Sequence[ReplayItem],
    execution: Execution = Execution(),
) -> dict[str, Tensor]:
    """The loss of some judgements with what is replayed beside them, and its parts; one pass of the LLM.

    weights: as `balance` gives them.
    """
    pairs = [item for item in judged if isinstance(item, PairItem)]
    thumbs = [item for item in judged if isinstance(item, ThumbItem)]
    marks = [item for item in judged if isinstance(item, MarkItem)]
    completions = [
        *(item.chosen for item in pairs),
        *(item.rejected for item in pairs),
        *(item.completion for item in thumbs),
        *(item.other for item in thumbs),
        *(item.completion for item in replay),
    ]
    parts: dict[str, Tensor] = {}
    loss = torch.zeros((), device=model.device)
    if completions:
        scored = score_all(model, completions, execution)
        totals = scored.totals()
        if pairs:
            heavy = totals.new_tensor([item.weight for item in pairs])
            preferred, alone = pair_losses(pairs, scored, settings.beta)
            parts["pairs"], parts["sft"] = (heavy * preferred).mean(), (heavy * alone).mean()
            loss = loss + (parts["pairs"] + parts["sft"]) * len(pairs) / len(judged)
        if thumbs:
            own, other = totals[2 * len(pairs) :].split(len(thumbs))[:2]
            heavy = totals.new_tensor([item.weight * weights[item.desirable] for item in thumbs])
            kl = kto_kl(other, totals.new_tensor([item.ref_other.total for item in thumbs]))
            parts["thumbs"] = (
                heavy
                * kto_loss(
                    own,
                    totals.new_tensor([item.ref.total for item in thumbs]),
                    torch.tensor([item.desirable for item in thumbs], device=own.device),
                    kl,
                    settings.beta,
                )
            ).mean()
            loss = loss + parts["thumbs"] * len(thumbs) / len(judged)
        if replay:
            parts["replay"] = replay_divergence(scored, len(completions) - len(replay), replay)
            loss = loss + settings.replay * parts["replay"]
    if marks:
        parts["marks"] = marks_loss(model, marks, execution)
        loss = loss + settings.marks * parts["marks"] * len(marks) / len(judged)
    return {"loss": loss, **parts}


def pair_losses(pairs: Sequence[PairItem], scored: Scored, beta: float) -> tuple[Tensor, Tensor]:
    """What each pair costs [B], without its weight: that of preferring the one answer, and that of making it
    likely by itself. The first rows of `scored` are the chosen answers, the next the rejected."""
    chosen, rejected = scored.totals()[: 2 * len(pairs)].chunk(2)
    ref_chosen, ref_rejected = reference_totals(pairs, chosen)
    dpo = chosen.new_tensor([item.dpo for item in pairs])
    sft = chosen.new_tensor([item.sft for item in pairs])
    preferred = dpo * dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta)
    return preferred, -sft * scored.means()[: len(pairs)]


def reference_totals(pairs: Sequence[PairItem], like: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities [B] of the chosen and of the rejected under the reference."""
    chosen = like.new_tensor([item.ref_chosen.total for item in pairs])
    return chosen, like.new_tensor([item.ref_rejected.total for item in pairs])


def replay_divergence(scored: Scored, first: int, replay: Sequence[ReplayItem]) -> Tensor:
    """Mean divergence a token, in nats, of the rows from `first` on."""
    found = [divergence(item.ref, scored.logits[scored.row == first + i]) for i, item in enumerate(replay)]
    return torch.cat(found).mean()


def marks_loss(model: USAM, items: Sequence[MarkItem], execution: Execution = Execution()) -> Tensor:
    """Cross-entropy of SACLM's predictive score, of the vectors in marked stretches, against whether these
    mattered: a weighted mean over vectors."""
    given = collate(model, [item.completion for item in items])
    with execution.autocast(model.device), torch.no_grad():
        audio = model.project(
            given.tokens, given.mask, [prompt.question for prompt in given.prompts], given.words
        )
    seconds = model.adapter.config.token_seconds
    wanted = torch.full(audio.mask.shape, -1.0)
    heavy = torch.zeros(audio.mask.shape)
    starts = audio.owner.cpu() * seconds
    for row, item in enumerate(items):
        for mark in item.marks:
            inside = (starts[row] < mark.end) & (starts[row] + seconds > mark.start)
            wanted[row, inside] = float(mark.mattered)
            heavy[row, inside] = item.weight
    wanted, heavy = wanted.to(audio.mask.device), heavy.to(audio.mask.device)
    marked = audio.mask & (wanted >= 0)
    logits = model.adapter.saclm.predictor(audio.tokens.float()).squeeze(-1)
    losses = F.binary_cross_entropy_with_logits(logits, wanted.clamp_min(0), weight=heavy, reduction="none")
    return losses.masked_fill(~marked, 0.0).sum() / (heavy * marked).sum().clamp_min(1e-6)
