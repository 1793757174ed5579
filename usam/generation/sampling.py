"""Which token comes next."""

from dataclasses import dataclass

import torch

from usam.errors import RequestError
from usam.llm.backend import CANDIDATES, TopLogits

MAX_NEW_TOKENS = 512
MIN_TEMPERATURE = 0.01
"""Logits divided by much less overflow; so close to 0 every answer is the greedy one."""
MAX_TEMPERATURE = 2.0


@dataclass(frozen=True)
class SamplingParams:
    """How to decode.

    At temperature 0 the seed changes nothing: one beam is greedy, several are a search among the CANDIDATES
    likeliest tokens of each step. At any other temperature a token is drawn from the whole vocabulary; there
    is neither top-k nor top-p.
    """

    max_new_tokens: int = 128
    temperature: float = 0.0
    seed: int = 0
    beams: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.max_new_tokens <= MAX_NEW_TOKENS:
            raise RequestError(f"An answer can have 1 to {MAX_NEW_TOKENS} tokens.")
        if self.temperature != 0 and not MIN_TEMPERATURE <= self.temperature <= MAX_TEMPERATURE:
            raise RequestError(
                f"The temperature has to be 0, or from {MIN_TEMPERATURE} to {MAX_TEMPERATURE:g}."
            )
        if not (isinstance(self.seed, int) and -(2**63) <= self.seed < 2**63):
            raise RequestError("The seed has to be a whole number of 64 bits.")

    @property
    def top(self) -> int | None:
        """How many of the likeliest tokens have to be known at each step; None: all."""
        return CANDIDATES if self.temperature == 0 else None

    def sample(self, candidates: TopLogits, generator: torch.Generator) -> int:
        """The id of the first sequence's likeliest candidate, or of one drawn at the temperature."""
        ids, logits = candidates.ids[0], candidates.logits[0]
        if self.temperature == 0:
            return int(ids[logits.argmax()])
        odds = (logits.float() / self.temperature).softmax(-1)
        return int(ids[torch.multinomial(odds, 1, generator=generator)])
