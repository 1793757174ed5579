"""Text as vectors: a language model's embeddings, and what another one's say of the same text."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class TextSpace:
    """A language model's input embeddings [V, D] and its tokenizer; it costs no model, only the table."""

    table: Tensor
    tokenizer: PreTrainedTokenizerBase

    def mean(self, text: str) -> Tensor:
        """The mean embedding [D] of a text's tokens in float32, zero if it has none."""
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self.table[ids].float().mean(0) if ids else self.table.new_zeros(self.table.shape[-1]).float()

    def text(self, index: int) -> str:
        """The text of a token id."""
        return str(self.tokenizer.decode([index]))


class ForeignTextSpace:
    """The text space an adapter was trained with, for token ids of another vocabulary.

    A foreign token is the mean of the embeddings of its text's own tokens: enough to route by a question, and
    to say how near an audio token is to it.
    """

    def __init__(self, own: TextSpace, foreign: PreTrainedTokenizerBase) -> None:
        self.own = own
        self.foreign = foreign
        self._rows: dict[int, Tensor] = {}

    def embed(self, ids: Tensor) -> Tensor:
        """Foreign token ids, of any shape -> embeddings [..., D] of the adapter's space, in float32."""
        rows = [self._row(index) for index in ids.flatten().tolist()]
        return torch.stack(rows).view(*ids.shape, -1).to(ids.device)

    def _row(self, index: int) -> Tensor:
        if index not in self._rows:
            self._rows[index] = self.own.mean(str(self.foreign.decode([index])))
        return self._rows[index]

    def foreign_words(self, ids: Tensor, embeddings: Tensor) -> Tensor:
        """The adapter's token ids [N] -> what the other model's embeddings [V', D'] say of them [N, D']."""
        other = TextSpace(embeddings, self.foreign)
        return torch.stack([other.mean(self.own.text(index)) for index in ids.tolist()])
