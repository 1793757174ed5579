"""Goes on along the way from the parent's weights through the tuned ones, as far as held-out judgements gain.

Zheng et al., "Model Extrapolation Expedites Alignment" (2024, arXiv 2404.16792): what some steps of
preference tuning began is gone on with by adding the change to the weights once more, without training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from torch import Tensor, nn

FACTORS = (1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""How far along the way, with 1 for the tuned weights."""


class Measured(Protocol):
    """Held-out figures."""

    @property
    def loss(self) -> float: ...


Found = TypeVar("Found", bound=Measured)


def extrapolate(
    model: nn.Module,
    parent: Mapping[str, Tensor],
    tuned: Mapping[str, Tensor],
    measure: Callable[[], Found],
    first: Found,
    too_far: Callable[[Found], bool],
    factors: Sequence[float] = FACTORS,
) -> tuple[float, Found]:
    """Put into the model parent + factor * (tuned - parent), with the factor after which the loss falls no
    further or the model is too far from the parent; returns the factor and its figures.

    `measure` tells the figures of the model as it is; `first` are those of the tuned weights. `too_far` says
    of figures that gained whether the model, as it is, gave up too much for them.
    """
    best = 1.0, first
    for factor in factors:
        put(model, parent, tuned, factor)
        found = measure()
        if found.loss >= best[1].loss or too_far(found):
            break
        best = factor, found
    put(model, parent, tuned, best[0])
    return best


def put(model: nn.Module, parent: Mapping[str, Tensor], tuned: Mapping[str, Tensor], factor: float) -> None:
    state = {name: parent[name].lerp(value, factor) for name, value in tuned.items()}
    model.load_state_dict(state, strict=False)
