"""Whisper's times: with them it writes sentence after sentence, each between two times, and misses none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SECONDS = 0.02  # of a time token
LATEST_FIRST = 50  # time tokens: the first sentence begins within a second, or its words are missed


@dataclass(frozen=True)
class TimestampRules:
    """Which tokens may follow, as in OpenAI's `decoding.py`.

    first: the token of 0 s. end: that of the end of the text, below which are the words. seconds: that are
    heard, after which nothing is said.
    """

    first: int
    end: int
    seconds: float

    def apply(self, logits: Tensor, tokens: Sequence[int]) -> None:
        """Rules out, in place, what of logits [V] may not follow `tokens`.

        Times stand in pairs, the end of a sentence and the start of the next, and never go back.
        """
        first, never = self.first, -torch.inf
        logits[first + round(self.seconds / SECONDS) + 1 :] = never
        if not tokens:
            logits[:first] = never
            logits[first + LATEST_FIRST + 1 :] = never
            return
        times = [token for token in tokens if token >= first]
        if tokens[-1] >= first:
            if len(tokens) == 1 or tokens[-2] >= first:
                logits[first:] = never
            else:
                logits[: self.end] = never
        if times:
            opens = tokens[-1] >= first and len(tokens) > 1 and tokens[-2] < first
            logits[first : times[-1] + (not opens)] = never
        likelihoods = logits.float().log_softmax(-1)
        if likelihoods[first:].logsumexp(-1) > likelihoods[:first].max():
            logits[:first] = never

    def sentences(self, tokens: Sequence[int]) -> list[list[int]]:
        """Indices of the tokens of each sentence that has any, without the times."""
        found: list[list[int]] = [[]]
        for index, token in enumerate(tokens):
            if token < self.first:
                found[-1].append(index)
            elif found[-1]:
                found.append([])
        return [sentence for sentence in found if sentence]
