"""The router's health: a live one, one that collapsed, and experts that are one and the same."""

import json
import math
from pathlib import Path

import pytest
import torch

from tests import tiny
from usam.model.model import USAM
from usam.model.router_health import entropy_bits, router_health


def favour(model: USAM, biases: list[float]) -> None:
    with torch.no_grad():
        model.adapter.projector.router[-1].bias.copy_(torch.tensor(biases))


def test_a_live_router_is_healthy(model: USAM) -> None:
    report = router_health(model)
    assert report["distinct"]
    assert not report["collapsed"]
    assert report["dead"] == []
    assert report["expert_distance"] > 0.1
    assert sum(report["load"]) == pytest.approx(1, abs=1e-3)
    assert report["max_load"] == max(report["load"])
    assert set(report["load_by_task"]) == {"qa", "asr", "s2tt", "aac", "mc"}
    assert 0 < report["entropy_bits"] <= report["load_entropy_bits"] <= math.log2(3) + 1e-3
    assert report["measured"] is None


def test_a_collapsed_router_is_told(model: USAM) -> None:
    favour(model, [0.0, 50.0, 0.0])
    report = router_health(model)
    assert report["collapsed"]
    assert report["dead"] == ["expert 1", "expert 3"]
    assert report["max_load"] == pytest.approx(1)
    assert report["entropy_bits"] == pytest.approx(0, abs=1e-3)


def test_a_dead_expert_beside_living_ones_is_told(model: USAM) -> None:
    favour(model, [0.0, -50.0, 0.0])
    report = router_health(model)
    assert report["dead"] == ["expert 2"]
    assert not report["collapsed"]


def test_one_module_three_times_is_told(model: USAM) -> None:
    """The fault of the authors' code."""
    experts = model.adapter.projector.experts
    experts[1] = experts[2] = experts[0]
    report = router_health(model)
    assert not report["distinct"]
    assert report["collapsed"]
    assert report["expert_distance"] == 0


def test_experts_with_equal_weights_are_told(model: USAM) -> None:
    experts = model.adapter.projector.experts
    experts[2].load_state_dict(experts[0].state_dict())
    assert not router_health(model)["distinct"]


def test_health_does_not_change_between_calls(model: USAM) -> None:
    assert router_health(model) == router_health(model)


def test_entropy_is_in_bits() -> None:
    weights = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(entropy_bits(weights), torch.tensor([2.0, 1.0, 0.0]))


def test_the_engine_adds_what_was_measured(tmp_path: Path) -> None:
    measured = {"load": [0.2, 0.3, 0.5], "mutual_information_bits": 0.4}
    (tmp_path / "routing.json").write_text(json.dumps(measured))
    report = tiny.engine(tmp_path).health()
    assert report["measured"] == measured
    json.dumps(report, allow_nan=False)
