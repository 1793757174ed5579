"""The trainable part of U-SAM, at home in transformers: Q-Former, projector, word anchor and SACLM."""

from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, PreTrainedModel

from usam.adapter.anchor import WordAnchor
from usam.adapter.projector import TaskAwareProjector
from usam.adapter.qformer import QFormer
from usam.adapter.saclm import SACLM
from usam.adapter.tokens import AudioTokens
from usam.config import USAMConfig


class USAMAdapter(PreTrainedModel):
    """Saves and loads these weights alone; the frozen parts come from weights.py."""

    config: USAMConfig
    config_class = USAMConfig
    base_model_prefix = "usam"

    def __init__(self, config: USAMConfig) -> None:
        super().__init__(config)
        self.qformer = QFormer(config)
        self.projector = TaskAwareProjector(config)
        self.anchor = WordAnchor(config) if config.anchor_tokens else None
        self.saclm = SACLM(config)
        self.post_init()

    def _init_weights(self, module: torch.nn.Module) -> None:
        """Every module initialises itself in its constructor: residual branches have to start at zero."""

    def attach(self, embeddings: Tensor) -> None:
        """Give the word anchor the LLM's input embeddings [vocabulary, D]; needed after every load."""
        if self.anchor is not None:
            self.anchor.attach(embeddings)

    def encode(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """U [B, T, D_frames], mask [B, T] -> Q-Former tokens [B, L, H], token mask [B, L]."""
        tokens, token_mask = self.qformer(frames, mask)
        return tokens, token_mask

    def project(
        self, tokens: Tensor, mask: Tensor, prompt: Tensor, routing: Tensor | None = None
    ) -> AudioTokens:
        """Tokens [B, L, H] and pooled prompt [B, D] -> audio tokens.

        `routing`, [B, L, E] or what expands to it, overrides the router.
        """
        if routing is None:
            routing = self.projector.route(tokens, prompt)
        routing = routing.expand(*tokens.shape[:2], -1)
        audio, logits = self.projector.mix(tokens, routing), None
        if self.anchor is not None:
            audio, logits = self.anchor(audio)
        return AudioTokens(audio, mask, routing, logits)

    def forward(self, frames: Tensor, mask: Tensor, prompt: Tensor, **kwargs: Any) -> AudioTokens:
        """frames U [B, T, D_frames], mask [B, T], pooled prompt [B, D_llm] -> AudioTokens."""
        return self.project(*self.encode(frames, mask), prompt, **kwargs)


AutoConfig.register(USAMConfig.model_type, USAMConfig, exist_ok=True)
AutoModel.register(USAMConfig, USAMAdapter, exist_ok=True)
