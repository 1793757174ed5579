"""Fits the speaker head: who speaks, by pitch and the speech encoder's frames."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from usam.adapter.speaker import SPEAKERS, SpeakerHead

DECAY = 0.1


def fit_speaker_head(head: SpeakerHead, features: Tensor, speakers: Tensor) -> float:
    """Logistic regression on voice features [N, 3 + D] of speakers [N], places in SPEAKERS, each as heavy
    as another.

    Returns the share of the features that it then gets right.
    """
    features, speakers = features.to(head.mean.device), speakers.to(head.mean.device)
    head.mean.copy_(features.mean(0))
    head.deviation.copy_(features.std(0) + 1e-4)
    counts = torch.bincount(speakers, minlength=len(SPEAKERS)).float().clamp_min(1)
    weights = 1 / counts
    torch.nn.init.zeros_(head.head.weight)
    torch.nn.init.zeros_(head.head.bias)
    optimizer = torch.optim.LBFGS(head.head.parameters(), max_iter=150)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(head(features), speakers, weight=weights / weights.mean())
        loss = loss + DECAY * head.head.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        return float((head(features).argmax(-1) == speakers).float().mean())
