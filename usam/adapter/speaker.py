"""Who speaks: man, woman or child, from the pitch of the voice and the speech encoder's frames.

No head of a specialist tells it: this one is fitted here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from usam.config import USAMConfig

SPEAKERS = ("man", "woman", "child")
PITCHES = 3  # median and quartiles
LOWEST = 50.0  # Hz


class SpeakerHead(nn.Module):
    """Logits over SPEAKERS of a stretch of speech: quartiles of its pitch, mean of the encoder's frames."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        width = PITCHES + config.width("speech")
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.head = nn.Linear(width, len(SPEAKERS))

    def forward(self, features: Tensor) -> Tensor:
        """`voice_features` [..., 3 + D] -> logits [..., 3]."""
        return self.head((features.float().to(self.mean.device) - self.mean) / self.deviation)

    @torch.inference_mode()
    def name(self, pitch: Tensor, frames: Tensor) -> tuple[str, float]:
        """Who speaks in a stretch of speech with these quartiles of the pitch [3] (Hz) and frames [T, D], and
        how sure that is, in [0, 1]."""
        odds = self(voice_features(pitch, frames)).softmax(-1)
        best = int(odds.argmax())
        return SPEAKERS[best], float(odds[best])


def voice_features(pitch: Tensor, frames: Tensor) -> Tensor:
    """Quartiles of the pitch [3] in Hz, 0 where there is none, and frames [T, D] -> [3 + D], beside the
    pitch."""
    return torch.cat([pitch.clamp_min(LOWEST).log(), frames.float().mean(0).to(pitch.device)])
