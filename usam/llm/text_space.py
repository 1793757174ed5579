"""The text an adapter understands, spoken with another language model's tokens."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


class TextSpace:
    """The embedding table [V, D] that an adapter was trained with, for token ids of another vocabulary.

    A foreign token is the mean of the embeddings of its text's own tokens: enough to route by a question, and
    to say how near an audio token is to it. It costs no second language model, only the table.
    """

    def __init__(
        self, table: Tensor, tokenizer: PreTrainedTokenizerBase, foreign: PreTrainedTokenizerBase
    ) -> None:
        self.table = table
        self.tokenizer = tokenizer
        self.foreign = foreign
        self._rows: dict[int, Tensor] = {}

    def embed(self, ids: Tensor) -> Tensor:
        """Foreign token ids, of any shape -> embeddings [..., D] of the adapter's space, in float32."""
        rows = [self._row(index) for index in ids.flatten().tolist()]
        return torch.stack(rows).view(*ids.shape, -1).to(ids.device)

    def _row(self, index: int) -> Tensor:
        if index not in self._rows:
            own = self.tokenizer(self.foreign.decode([index]), add_special_tokens=False)["input_ids"]
            self._rows[index] = self.table[own].float().mean(0) if own else torch.zeros(self.table.shape[-1])
        return self._rows[index]

    def text(self, index: int) -> str:
        """The text of a token id of the adapter's own vocabulary."""
        return str(self.tokenizer.decode([index]))

    def foreign_words(self, ids: Tensor, embeddings: Tensor) -> Tensor:
        """The adapter's token ids [N] -> what the other model's embeddings [V', D'] say of them [N, D']."""
        texts = [self.text(index) for index in ids.tolist()]
        pieces = [self.foreign(text, add_special_tokens=False)["input_ids"] for text in texts]
        blank = embeddings.new_zeros(embeddings.shape[-1]).float()
        return torch.stack([embeddings[own].float().mean(0) if own else blank for own in pieces])
