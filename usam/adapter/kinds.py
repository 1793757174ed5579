"""Which kinds of audio are heard, speech, sounds or music, from all encoders' frames together.

The sound specialist alone takes many a short sound for music; what the others hear tells them apart. No head
of a specialist reads all frames: this one is fitted here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from usam.config import FRAME_RATE, USAMConfig
from usam.schema.segments import KINDS

LOOK = 48  # frames of U (0.96 s) in one look
LOOK_SECONDS = LOOK / FRAME_RATE
CLIPPED = 4.0  # standard deviations


class KindHead(nn.Module):
    """Scores over KINDS of a second of audio, from the mean of its frames: about 1 for a kind that is heard,
    -1 for one that is not."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(config.frame_dim))
        self.register_buffer("deviation", torch.ones(config.frame_dim))
        self.head = nn.Linear(config.frame_dim, len(KINDS))

    def forward(self, looks: Tensor) -> Tensor:
        """`looks_of` some frames [N, D] -> scores [N, 3]."""
        return self.head(self.normal(looks))

    def normal(self, looks: Tensor) -> Tensor:
        """Looks [N, D] in standard deviations."""
        looks = looks.float().to(self.mean.device)
        return ((looks - self.mean) / self.deviation).clamp(-CLIPPED, CLIPPED)

    @torch.inference_mode()
    def scores(self, frames: Tensor) -> Tensor:
        """U [T, D] -> scores [N, 3], a row for every LOOK_SECONDS."""
        return self(looks_of(frames)).cpu()


def looks_of(frames: Tensor) -> Tensor:
    """U [T, D] -> the mean of each `LOOK` of its frames [N, D]; what is left belongs to the last one."""
    count = max(1, round(len(frames) / LOOK))
    parts = [frames[i * LOOK : (i + 1) * LOOK if i + 1 < count else len(frames)] for i in range(count)]
    return torch.stack([part.float().mean(0) for part in parts])
