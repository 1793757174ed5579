"""Word anchoring: an audio token as a mixture of the LLM's own word embeddings, or of "no word here".

The paper sends the projector's output to the LLM as it is, and trains on a million clips until the LLM
understands it. With hours instead of years of audio we let every token point at words the LLM already
reads: logits against its frozen, centred input embeddings (the same that CTC is trained on), then the
expected embedding under their softmax. A learned share of the free vector is added, so that what has
no word can pass too.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from usam.config import USAMConfig


class WordAnchor(nn.Module):
    """Holds the sub-vocabulary's token ids; `attach` gives it the LLM's embeddings, which are not saved."""

    token_ids: Tensor
    words: Tensor
    directions: Tensor

    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        size, dim = config.anchor_tokens, config.llm_dim
        self.register_buffer("token_ids", torch.zeros(size, dtype=torch.long))
        self.register_buffer("words", torch.zeros(size, dim), persistent=False)
        self.register_buffer("directions", torch.zeros(size, dim), persistent=False)
        self.blank = nn.Linear(dim, 1)
        self.blank_word = nn.Parameter(torch.zeros(dim))
        self.free = nn.Parameter(torch.zeros(dim))
        self.config = config

    @torch.no_grad()
    def attach(self, embeddings: Tensor) -> None:
        """Take the sub-vocabulary's rows of the LLM's input embeddings [vocabulary, D]."""
        table = embeddings.detach().float()
        self.words = table[self.token_ids.to(table.device)].to(self.token_ids.device)
        centred = self.words - table.mean(0).to(self.words.device)
        self.directions = F.normalize(centred, dim=-1)

    def logits(self, tokens: Tensor) -> Tensor:
        """Free tokens [B, L, D], from a window's first on -> logits [B, L, V + 1]; the last is the blank, "no
        word here"."""
        blank = self.blank(tokens)
        if self.config.blank_by_place:
            # Tokens of a place that came out of training a little blanker than others' would be flagged as
            # redundant for their place. Taken off as the prior of a class is (Menon et al., "Long-tail
            # learning via logit adjustment", 2021).
            lower = blank.new_tensor(self.config.blank_by_place)
            blank = blank - lower[torch.arange(tokens.shape[1], device=blank.device) % len(lower), None]
        return torch.cat([tokens @ self.directions.T.to(tokens.dtype), blank], dim=-1)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Free tokens [B, L, D] -> anchored tokens [B, L, D] and logits [B, L, V + 1]."""
        logits = self.logits(tokens)
        weights = logits.float().softmax(-1).to(tokens.dtype)
        anchored = weights[..., :-1] @ self.words.to(tokens.dtype) + weights[..., -1:] * self.blank_word
        return anchored + self.free * tokens, logits
