"""How far beyond the tuned weights the model is taken."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from usam.training.stages.extrapolation import extrapolate


@dataclass(frozen=True)
class Figures:
    loss: float
    kl: float


def taken(best_at: float, bound: float = 100.0) -> tuple[float, Figures, float]:
    """From 0 through 1, where the loss is least at `best_at` and the divergence is the weight itself."""
    model = nn.Linear(1, 1, bias=False)
    parent, tuned = {"weight": torch.zeros(1, 1)}, {"weight": torch.ones(1, 1)}

    def measure() -> Figures:
        weight = float(model.weight)
        return Figures(abs(weight - best_at), weight)

    model.load_state_dict(tuned)
    factor, figures = extrapolate(model, parent, tuned, measure, measure(), lambda found: found.kl > bound)
    return factor, figures, float(model.weight)


@pytest.mark.parametrize(("best_at", "factor"), [(0.5, 1.0), (1.0, 1.0), (1.5, 1.5), (2.0, 2.0), (9.0, 3.0)])
def test_it_goes_as_far_as_held_out_judgements_gain(best_at: float, factor: float) -> None:
    found, figures, weight = taken(best_at)
    assert (found, weight) == (factor, factor)
    assert figures == Figures(abs(factor - best_at), factor)


def test_it_stays_within_the_bound() -> None:
    assert taken(3.0, bound=1.6)[0] == 1.5
