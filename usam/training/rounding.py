"""Trains a LoRA for the 4-bit weights that answers come from."""

from __future__ import annotations

from typing import cast

import torch
from peft.tuners.lora import Linear
from torch import Tensor, nn

from usam.quantization import rounded

EVERY = 12  # steps


class Rounding:
    """Keeps the LLM's weights W such that W + BA are those that NF4 keeps of the merged ones.

    A LoRA is merged before the LLM is quantised, so that it costs nothing. Trained over exact weights, it
    would meet the errors of rounding in the answers for the first time; here it learns with them. Gradients
    are those of the LoRA, as if nothing were rounded (straight-through, arXiv 1308.3432). Called before each
    step; the errors, which change little, are computed every `EVERY` steps. Layers whose weights are in 4
    bits as they are, as for QLoRA, stay so.
    """

    def __init__(self, llm: nn.Module) -> None:
        self.layers: list[tuple[Linear, Tensor]] = []
        tuned: list[Linear] = [layer for layer in llm.modules() if isinstance(layer, Linear)]
        for layer in tuned:
            base = layer.get_base_layer()
            if type(base) is nn.Linear:
                self.layers.append((layer, base.weight.detach().clone()))

    def __call__(self, step: int) -> None:
        if step % EVERY == 0:
            self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        """Compute the errors of the weights as they are now."""
        for layer, exact in self.layers:
            [adapter] = layer.active_adapters
            delta = layer.get_delta_weight(adapter).float()
            cast(nn.Linear, layer.get_base_layer()).weight.copy_(rounded(exact.float() + delta) - delta)
