"""Names of the fitted head beside those of YAMNet, the likeliest to be right first."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from usam.encoders.heads.name_words import label_words
from usam.encoders.words import NameScores
from usam.schema.segments import Kind

# Log-odds that a name of YAMNet's is right, by the logarithm of its score: of its five surest names of 1,019
# clips of instruments, whose collections the fitted head had not seen when it was compared.
SLOPE, OFFSET = 0.37, -0.04
LEAST, LEAST_BESIDE_SPEECH = 0.12, 0.25  # probability of a name that is worth saying

Scored = tuple[str, float]
"""A name and its score."""


def with_fitted(
    names: Sequence[Scored], fitted: NameScores, kinds: Collection[Kind], start: float, end: float, most: int
) -> list[Scored]:
    """At most so many of YAMNet's `names` and of those that the fitted head gives what is heard of these
    kinds between two times (s), the likelier first; none says less than one before it."""
    probable = fitted.between(start, end)
    least = LEAST_BESIDE_SPEECH if "speech" in kinds else LEAST
    candidates = [(_chance(score), name, score) for name, score in names]
    candidates += [
        (chance, name, chance)
        for name, kind, chance in zip(fitted.names, fitted.kinds, probable.tolist(), strict=True)
        if kind in kinds and chance >= least
    ]
    if len(candidates) > len(names):  # else in YAMNet's own order
        candidates.sort(key=lambda one: -one[0])
    chosen: list[Scored] = []
    chosen_words: list[set[str]] = []
    for _, name, score in candidates:
        words = set(label_words(name))
        if len(chosen) < most and not any(words <= before for before in chosen_words):
            chosen.append((name, score))
            chosen_words.append(words)
    return chosen


def _chance(score: float) -> float:
    """How probable it is that a name of YAMNet's with this score is right."""
    return 1 / (1 + math.exp(-SLOPE * math.log(max(score, 1e-4)) - OFFSET))
