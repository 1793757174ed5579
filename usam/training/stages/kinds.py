"""Fits the kind head: which of speech, sounds and music is heard, by all encoders' frames."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from usam.adapter.kinds import KindHead

EPOCHS, BATCH = 30, 256
FEWEST_STEPS = 600
RATE, DECAY = 1e-3, 0.05
DROPPED, DROPPED_HIDDEN = 0.2, 0.5  # shares of the features, and of what is between


def fit_kind_head(head: KindHead, looks: Tensor, kinds: Tensor, weights: Tensor, seed: int = 0) -> None:
    """Logistic regression of kinds [N, 3] (0 to 1) on looks [N, 3D], each drawn as often as its weight [N]
    says."""
    looks, kinds, weights = (part.to(head.mean.device) for part in (looks, kinds.float(), weights.float()))
    head.mean.copy_(looks.float().mean(0))
    head.deviation.copy_(looks.float().std(0) + 1e-3)
    steps = max(FEWEST_STEPS, EPOCHS * len(looks) // BATCH)
    head.requires_grad_(True)
    optimizer = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps + 1)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        for _ in range(steps):
            drawn = torch.multinomial(weights, BATCH, replacement=True)
            features = F.dropout(head.normal(looks[drawn]), DROPPED)
            hidden = F.dropout(F.relu(head.hidden(features)), DROPPED_HIDDEN)
            loss = F.binary_cross_entropy_with_logits(head.head(hidden), kinds[drawn])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    head.requires_grad_(False)
