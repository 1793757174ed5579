"""Audio tokens: a clip in the language model's space."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class AudioTokens:
    """A batch of clips in the LLM's space.

    tokens [B, L, D]; mask [B, L], true for real tokens; routing [B, L, E]; logits [B, L, V + 1] over the
    word anchor's vocabulary and the blank, or None without an anchor.
    """

    tokens: Tensor
    mask: Tensor
    routing: Tensor
    logits: Tensor | None

    def keep(self, chosen: Tensor | Sequence[Sequence[bool]]) -> "AudioTokens":
        """The same batch with only the chosen [B, L] tokens left real."""
        return replace(self, mask=self.mask & torch.as_tensor(chosen, device=self.mask.device))
