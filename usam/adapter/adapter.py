"""The trainable part of U-SAM, in transformers' form: Q-Former, projector, word anchor and SACLM."""

from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

from usam.adapter.anchor import WordAnchor
from usam.adapter.kinds import KindHead
from usam.adapter.names import NameHead
from usam.adapter.projector import TaskAwareProjector
from usam.adapter.qformer import QFormer
from usam.adapter.saclm import SACLM
from usam.adapter.speaker import SpeakerHead
from usam.adapter.tokens import AudioTokens
from usam.adapter.words import WordGrid, WordMixer, repeated
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
        self.words = WordMixer(config) if config.words else None
        self.speaker = SpeakerHead(config) if config.words else None
        self.kinds = KindHead(config) if config.kind_head else None
        self.names = NameHead(config) if config.names else None
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
        self,
        tokens: Tensor,
        mask: Tensor,
        prompt: Tensor,
        routing: Tensor | None = None,
        words: WordGrid | None = None,
        read: Tensor | None = None,
    ) -> AudioTokens:
        """Tokens [B, L, H] and pooled prompt [B, D] -> audio tokens.

        `routing`, [B, L, E] or what expands to it, overrides the router. `words` are the specialists', and
        `read` [B, N, D] the LLM's embeddings of their pieces; without them a token is its own projection.
        """
        mixer = self.words if words is not None else None
        if routing is None:
            push = mixer.push(words) if mixer is not None and words is not None else None
            routing = self.projector.route(tokens, prompt, push)
        routing = routing.expand(*tokens.shape[:2], -1)
        audio, logits = self.projector.mix(tokens, routing), None
        if self.anchor is not None:
            audio, logits = self.anchor(audio)
        if mixer is None or words is None or read is None:
            return AudioTokens(audio, mask, routing, logits)
        assert self.anchor is not None  # a config with words has one
        assert logits is not None
        repeats = repeated(logits, mask) | words.spoken
        own = torch.where(repeats.unsqueeze(-1), self.anchor.blank_word.to(audio.dtype), audio)
        share = mixer.share(tokens, routing, words)
        vectors = mixer(own, read, share, words)
        real = words.mask & mask.gather(1, words.owner)
        informative = real & ((words.ids >= 0) | ~repeats.gather(1, words.owner))
        return AudioTokens(vectors, real, routing, logits, words.owner, informative, share)

    def forward(self, frames: Tensor, mask: Tensor, prompt: Tensor, **kwargs: Any) -> AudioTokens:
        """frames U [B, T, D_frames], mask [B, T], pooled prompt [B, D_llm] -> AudioTokens."""
        return self.project(*self.encode(frames, mask), prompt, **kwargs)


AutoConfig.register(USAMConfig.model_type, USAMConfig, exist_ok=True)
