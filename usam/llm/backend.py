"""What decoding asks of a language model, whichever library runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from torch import Tensor

from usam.errors import NumericalError

CANDIDATES = 64
"""Tokens that a search looks at: greedy decoding needs one, `b` beams need 2 b."""


@dataclass(frozen=True)
class TopLogits:
    """The likeliest next tokens of each sequence: `ids` [B, C], ascending, and their `logits` [B, C].

    log_total [B]: of the exponentials of all logits, also of the tokens that are not among these, the sum's
    logarithm: `logits - log_total` are log-probabilities.

    Raises NumericalError unless all logits are finite: the likeliest of others would be any token at all.
    """

    ids: Tensor
    logits: Tensor
    log_total: Tensor

    def __post_init__(self) -> None:
        if not self.logits.isfinite().all():
            raise NumericalError("language model")


class KVCache(Protocol):
    """Keys and values of a prompt and of one or several sequences that go on from it."""

    def expand(self, count: int) -> Self:
        """`count` sequences that go on from a single one."""
        ...

    def reorder(self, parents: Sequence[int]) -> None:
        """Let every sequence go on from the one that `parents` [B] names, in place."""
        ...


Cache = TypeVar("Cache", bound=KVCache)


class StepDecoder(Protocol[Cache]):
    """Any number of caches may be open at once."""

    def prefill(self, embeddings: Tensor, room: int, top: int | None = CANDIDATES) -> tuple[TopLogits, Cache]:
        """Read a prompt [1, S, D]; what may follow it, and a cache with room for `room` more tokens.

        `top`: how many of the likeliest tokens are returned here and by every step; None: the vocabulary.
        """
        ...

    def step(self, tokens: Sequence[int], cache: Cache) -> TopLogits:
        """Append a token to every sequence [B]; what may follow it."""
        ...
