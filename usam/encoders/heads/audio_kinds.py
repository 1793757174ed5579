"""Speech, sound or music: which of them the audio specialist's classes speak for, from look to look.

A linear head on a dozen sums of its classes, fitted to labelled clips, alone, joined and mixed. One tells
little: a bell or a plucked string is music in one recording and a sound in another.
"""

from __future__ import annotations

import torch
from torch import Tensor

from usam.encoders.heads.sound_names import kind_columns
from usam.encoders.words import SoundScores

MOST = 4.0  # standard deviations that a feature counts
TINY = 1e-4  # probability
BEST = 3  # classes of a kind that are taken together
# Of each feature, a log-odds: its mean and deviation over clips, and what a deviation above it says for each
# of KINDS. Features of a kind: its surest class, the sum of all, and the mean of the BEST. Then single
# classes.
SUREST = (
    (-3.75, 6.50, 1.12, -1.09, -0.62),
    (-5.47, 4.48, -0.11, -0.08, 0.11),
    (-4.73, 5.13, -0.02, -0.10, 0.00),
)
SUM = (
    (-4.56, 3.24, 0.95, -0.32, 0.09),
    (-2.17, 1.95, -0.24, 0.18, -0.13),
    (-2.73, 2.17, 0.07, -0.26, 0.22),
)
MEAN_OF_BEST = (
    (-5.83, 3.64, 0.89, -0.16, -0.01),
    (-5.94, 3.94, -0.11, 0.15, 0.13),
    (-5.69, 3.86, -0.23, -0.11, 0.42),
)
CLASSES = {
    "Music": (-5.05, 5.08, -0.07, -0.42, 0.54),
    "Musical instrument": (-6.85, 3.32, -0.03, -0.19, 0.23),
    "Silence": (-7.36, 4.38, -0.20, -0.66, 0.50),
    "Animal": (-8.13, 2.48, -0.22, 0.58, -0.60),
    "Vehicle": (-8.15, 2.36, -0.28, 0.41, -0.08),
    "Inside, small room": (-6.13, 2.89, 0.23, 0.34, -0.22),
}
BIAS = (-1.50, -0.52, -1.09)


def kind_log_odds(sounds: SoundScores) -> Tensor:
    """Log-odds [T, 3] of each of KINDS in each look."""
    scores = sounds.scores.float().clamp(TINY, 1 - TINY)
    features: list[Tensor] = []
    rows: list[tuple[float, ...]] = []
    for kind, columns in enumerate(kind_columns(sounds.classes)):
        chosen = scores[:, columns]
        best = chosen.topk(min(BEST, len(columns))).values.mean(-1)
        features += [chosen.amax(-1).logit(), chosen.sum(-1).log(), best.logit()]
        rows += [SUREST[kind], SUM[kind], MEAN_OF_BEST[kind]]
    for name, row in CLASSES.items():
        if name in sounds.classes:
            features.append(scores[:, sounds.classes.index(name)].logit())
            rows.append(row)
    table = torch.tensor(rows)
    deviations = ((torch.stack(features, 1) - table[:, 0]) / table[:, 1]).clamp(-MOST, MOST)
    return deviations @ table[:, 2:] + torch.tensor(BIAS)


def class_log_odds(sounds: SoundScores) -> Tensor:
    """Log-odds [T, 3] of the surest class of each of KINDS in each look."""
    scores = sounds.scores.float().clamp(TINY, 1 - TINY)
    return torch.stack(
        [scores[:, columns].amax(-1) for columns in kind_columns(sounds.classes)], dim=1
    ).logit()
