"""Beam search: the likeliest answer as a whole, where greedy decoding takes the likeliest word each time.

As transformers' `generate` searches with `num_beams` and its default length penalty, among the candidates of
each step. What all hypotheses begin with is settled, and can be shown while the search goes on.
"""

from dataclasses import dataclass, field
from itertools import takewhile

import torch

from usam.llm.backend import TopLogits


@dataclass(frozen=True)
class Hypothesis:
    """Token `ids` and the sum of their log-probabilities; a finished one holds the end too."""

    ids: tuple[int, ...]
    total: float

    @property
    def score(self) -> float:
        """The mean, so that a short hypothesis is not better for being short."""
        return self.total / len(self.ids)


@dataclass
class Beams:
    """`width` hypotheses at once, the best first, until none that goes on is better than those that ended."""

    width: int
    end: int
    running: list[Hypothesis] = field(default_factory=lambda: [Hypothesis((), 0.0)])
    ended: list[Hypothesis] = field(default_factory=list)

    def advance(self, candidates: TopLogits) -> list[int]:
        """Take what may follow each running hypothesis [B, C]; returns those that the new ones go on from."""
        log_probs = candidates.logits.float() - candidates.log_total[:, None]
        totals = torch.tensor([hypothesis.total for hypothesis in self.running], dtype=torch.float64)
        sums = (totals[:, None] + log_probs.cpu()).flatten()
        going_on: list[tuple[int, Hypothesis]] = []
        # Every hypothesis can end in one way only: of twice the width, at least the width go on.
        for rank, place in enumerate(sums.topk(min(2 * self.width, len(sums))).indices.tolist()):
            parent, column = divmod(place, log_probs.shape[1])
            token = int(candidates.ids[parent, column])
            hypothesis = Hypothesis((*self.running[parent].ids, token), float(sums[place]))
            if token != self.end:
                going_on.append((parent, hypothesis))
            elif rank < self.width:
                self.ended.append(hypothesis)
        del going_on[self.width :]
        self.ended = sorted(self.ended, key=lambda one: -one.score)[: self.width]
        self.running = [hypothesis for _, hypothesis in going_on]
        return [parent for parent, _ in going_on]

    @property
    def finished(self) -> bool:
        """Whether enough have ended, and none that goes on is better now than the worst of them."""
        enough = len(self.ended) == self.width
        return enough and self.running[0].score <= self.ended[-1].score

    @property
    def best(self) -> Hypothesis:
        return max([*self.ended, *self.running], key=lambda one: one.score)

    def agreed(self) -> tuple[int, ...]:
        """What all hypotheses begin with."""
        together = zip(*(hypothesis.ids for hypothesis in [*self.ended, *self.running]), strict=False)
        return tuple(ids[0] for ids in takewhile(lambda ids: len({*ids}) == 1, together))
