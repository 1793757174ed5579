"""The Task-Aware Projection Module: a Mixture-of-Experts projector routed by task (paper section 2.3)."""

import torch
from torch import Tensor, nn

from usam.config import USAMConfig


class Expert(nn.Sequential):
    """A two-layer projection from the Q-Former's space to the LLM's: [..., H] -> [..., D]."""

    def __init__(self, config: USAMConfig) -> None:
        super().__init__(
            nn.Linear(config.hidden_size, config.expert_size),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.expert_size, config.llm_dim),
        )


class TaskAwareProjector(nn.Module):
    """token = sum over experts of weight_e * expert_e(z), weights = softmax(router([z; prompt])).

    Every token meets the same pooled prompt vector, so that late windows know the question as well as
    early ones, and the experts are distinct modules.
    """

    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        self.experts = nn.ModuleList(Expert(config) for _ in range(config.num_experts))
        self.prompt_norm = nn.LayerNorm(config.llm_dim)
        self.router = nn.Sequential(
            nn.Linear(config.hidden_size + config.llm_dim, config.hidden_size // 4),
            nn.GELU(),
            nn.Linear(config.hidden_size // 4, config.num_experts),
        )

    def route(self, tokens: Tensor, prompt: Tensor, push: Tensor | None = None) -> Tensor:
        """tokens [B, L, H], pooled prompt [B, D] -> weights [B, L, E]; each row sums to 1.

        `push` [B, L, E] is added to the logits: towards experts whose specialist has a word there.
        """
        prompts = self.prompt_norm(prompt).unsqueeze(1).expand(-1, tokens.shape[1], -1)
        logits = self.router(torch.cat([tokens, prompts], dim=-1)).float()
        return (logits if push is None else logits + push).softmax(-1)

    def mix(self, tokens: Tensor, weights: Tensor) -> Tensor:
        """tokens [B, L, H], weights [B, L, E] -> projected tokens [B, L, D]."""
        projected = torch.stack([expert(tokens) for expert in self.experts], dim=-2)
        return torch.einsum("ble,bled->bld", weights.to(projected.dtype), projected)

    def forward(self, tokens: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """tokens [B, L, H], prompt [B, D] -> audio tokens [B, L, D], routing [B, L, E]."""
        weights = self.route(tokens, prompt)
        return self.mix(tokens, weights), weights
