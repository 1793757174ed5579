"""Which kinds of audio are heard, speech, sounds or music, from all encoders' frames together.

The sound specialist alone takes many a short sound for music; what the others hear tells them apart. No head
of a specialist reads all frames: this one is fitted here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from usam.config import FRAME_RATE, USAMConfig
from usam.schema.segments import KINDS

STATISTICS = 3  # of a frame's channel in one look
LOOK = 48  # frames of U (0.96 s) in one look
LOOK_SECONDS = LOOK / FRAME_RATE
CLIPPED = 4.0  # standard deviations
HIDDEN = 64
SURE = 6.0  # log-odds of a score of one


class KindHead(nn.Module):
    """Log-odds of each of KINDS in a second of audio, from mean, deviation and peak of its frames."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        width = STATISTICS * config.frame_dim
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.hidden = nn.Linear(width, HIDDEN)
        self.head = nn.Linear(HIDDEN, len(KINDS))

    def forward(self, looks: Tensor) -> Tensor:
        """`looks_of` some frames [N, 3D] -> log-odds [N, 3]."""
        return self.head(F.relu(self.hidden(self.normal(looks))))

    def normal(self, looks: Tensor) -> Tensor:
        """Looks [N, 3D] in standard deviations."""
        return standardised(looks, self.mean, self.deviation)

    @torch.inference_mode()
    def scores(self, looks: Tensor) -> Tensor:
        """Looks [N, 3D] -> scores [N, 3] on the CPU: about 1 for a kind that is heard, -1 for another."""
        return self(looks).cpu() / SURE


def standardised(looks: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Looks [N, W] in standard deviations, on the device of their mean and deviation [W]."""
    return ((looks.float().to(mean.device) - mean) / deviation).clamp(-CLIPPED, CLIPPED)


def looks_of(frames: Tensor) -> Tensor:
    """U [T, D] -> mean, deviation and peak of each `LOOK` of its frames side by side [N, 3D], a row for every
    LOOK_SECONDS; what is left belongs to the last one."""
    count = max(1, round(len(frames) / LOOK))
    parts = [frames[i * LOOK : (i + 1) * LOOK if i + 1 < count else len(frames)] for i in range(count)]
    return torch.stack([_statistics(part.float()) for part in parts])


def _statistics(frames: Tensor) -> Tensor:
    return torch.cat([frames.mean(0), frames.std(0, correction=0), frames.amax(0)])
