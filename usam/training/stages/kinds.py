"""Fits the kind head: which of speech, sounds and music is heard, by all encoders' frames."""

from __future__ import annotations

import torch
from torch import Tensor

from usam.adapter.kinds import KindHead

DECAY = 0.1  # of the mean square of a feature, which is one


@torch.no_grad()
def fit_kind_head(head: KindHead, looks: Tensor, kinds: Tensor, weights: Tensor) -> None:
    """Ridge regression of kinds [N, 3] (0 or 1) on looks [N, D], each as heavy as its weight [N]."""
    looks, kinds, weights = (part.to(head.mean.device).float() for part in (looks, kinds, weights))
    head.mean.copy_(looks.mean(0))
    head.deviation.copy_(looks.std(0) + 1e-3)
    features = torch.cat([head.normal(looks), torch.ones(len(looks), 1, device=looks.device)], 1)
    weighted = features * (weights / weights.sum())[:, None]
    moments = weighted.T @ features + DECAY * torch.eye(features.shape[1], device=looks.device)
    solution = torch.linalg.solve(moments, weighted.T @ (2 * kinds - 1))
    head.head.weight.copy_(solution[:-1].T)
    head.head.bias.copy_(solution[-1])
