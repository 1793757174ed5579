"""Names of what is heard, from all encoders' frames together.

YAMNet and musicnn name what is heard on videos and in songs; which drum was struck, or that a theremin plays,
their heads hardly tell though their frames do. This one is fitted on recordings of single instruments.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from usam.adapter.kinds import standardised
from usam.config import USAMConfig
from usam.schema.segments import KINDS


class NameHead(nn.Module):
    """Scores over the configuration's names of a second of audio, from the mean of its frames: about 1 for
    the name that is right, 0 for the others.

    slope, offset: of the logarithm of a score, give the log-odds that the name is right.
    """

    mean: Tensor
    deviation: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        self.names = tuple(name for kind in KINDS for name in config.names.get(kind, ()))
        self.kinds = tuple(kind for kind in KINDS for _ in config.names.get(kind, ()))
        self.register_buffer("mean", torch.zeros(config.frame_dim))
        self.register_buffer("deviation", torch.ones(config.frame_dim))
        self.register_buffer("slope", torch.ones(1))
        self.register_buffer("offset", torch.zeros(1))
        self.head = nn.Linear(config.frame_dim, len(self.names))

    def forward(self, looks: Tensor) -> Tensor:
        """`looks_of` some frames [N, 3D] -> scores [N, C]."""
        return self.head(self.normal(looks))

    def normal(self, looks: Tensor) -> Tensor:
        """The means [N, D] among looks [N, 3D], in standard deviations."""
        return standardised(looks[:, : len(self.mean)], self.mean, self.deviation)

    @torch.inference_mode()
    def scores(self, looks: Tensor) -> Tensor:
        """As `forward`, on the CPU."""
        return self(looks).cpu()
