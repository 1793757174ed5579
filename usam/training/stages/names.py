"""Fits the name head: what an instrument is called, by all encoders' frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from usam.adapter.names import NameHead
from usam.encoders.heads.name_words import stems

DECAY = 0.1  # of the mean square of a feature, which is one, in clips
NAMES = 3  # that are said of a clip
SURE = 6  # names of a clip whose scores are compared with the truth
LEAST_SCORE = 1e-4


@torch.no_grad()
def fit_name_head(head: NameHead, clips: Tensor, names: Sequence[int], collections: Sequence[str]) -> float:
    """Ridge regression of names, as indices of the head's, on the looks of clips [N, 3D].

    A clip weighs less the more clips have its name. How far a score is to be trusted is measured on each of
    the `collections` with a head that was fitted on the others: within one, clips share more than their name.
    A name that shares a word with the true one counts as right. Returns the share of these clips that have a
    right one among their NAMES likeliest, which is also that of clips of a collection nobody has seen.
    """
    clips = clips.float().to(head.mean.device)
    means = clips[:, : len(head.mean)]
    head.mean.copy_(means.mean(0))
    head.deviation.copy_(means.std(0) + 1e-3)
    features = head.normal(clips)
    truth = torch.tensor(names, device=features.device)
    words = [stems(name) for name in head.names]
    alike = torch.tensor([[bool(one & other) for other in words] for one in words], device=features.device)
    scores: list[Tensor] = []
    right: list[Tensor] = []
    for collection in sorted(set(collections)):
        apart = torch.tensor([one == collection for one in collections], device=features.device)
        if apart.all():
            continue
        weight, bias = _ridge(features[~apart], truth[~apart], len(head.names))
        best = (features[apart] @ weight + bias).topk(min(SURE, len(head.names)), 1)
        scores.append(best.values.flatten())
        right.append(alike[truth[apart][:, None], best.indices])
    if scores:
        slope, offset = _log_odds(torch.cat(scores), torch.cat(right).flatten())
        head.slope.fill_(slope)
        head.offset.fill_(offset)
    weight, bias = _ridge(features, truth, len(head.names))
    head.head.weight.copy_(weight.T)
    head.head.bias.copy_(bias)
    named = [one[:, :NAMES].any(1) for one in right]
    return float(torch.cat(named).float().mean()) if named else 0.0


def _ridge(features: Tensor, truth: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Weight [D, C] and bias [C] of the scores."""
    often = Counter(truth.tolist())
    weights = torch.tensor([often[name] ** -0.5 for name in truth.tolist()], device=features.device)
    targets = F.one_hot(truth, count).float()
    usual = targets.mean(0)
    weighted = features * weights[:, None]
    width = features.shape[1]
    moments = weighted.T @ features + DECAY * width * torch.eye(width, device=features.device)
    return torch.linalg.solve(moments, weighted.T @ (targets - usual)), usual


def _log_odds(scores: Tensor, right: Tensor) -> tuple[float, float]:
    """Slope and offset of the log-odds of being right by the logarithm of a score (logistic regression)."""
    logs = scores.clamp_min(LEAST_SCORE).log().double().cpu()
    wanted = right.double().cpu()
    found = torch.zeros(2, dtype=torch.float64)
    design = torch.stack([logs, torch.ones_like(logs)], 1)
    for _ in range(30):  # Newton's method
        chance = torch.sigmoid(design @ found)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-6 * torch.eye(2)
        found += torch.linalg.solve(curvature, design.T @ (wanted - chance))
    return float(found[0]), float(found[1])
