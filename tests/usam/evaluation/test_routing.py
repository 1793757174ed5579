"""How the router separates kinds of audio."""

import numpy as np
import pytest
import torch

from usam.evaluation.routing import separation


def test_router_that_knows_the_kind_has_all_the_information() -> None:
    experts = torch.eye(3)
    routing = [(kind, experts[index].repeat(4, 1)) for index, kind in enumerate(("speech", "sound", "music"))]
    found = separation(routing)
    assert found["mutual_information_bits"] == pytest.approx(np.log2(3))
    assert found["load_entropy_bits"] == pytest.approx(np.log2(3))
    assert found["tokens_led"] == [4, 4, 4]
    assert found["tokens_led_by_kind"]["sound"] == [0, 4, 0]


def test_router_that_does_not_know_the_kind_has_none() -> None:
    weights = torch.tensor([[0.7, 0.2, 0.1]]).repeat(5, 1)
    found = separation([("speech", weights), ("sound", weights[:2]), ("music", weights)])
    assert found["mutual_information_bits"] == pytest.approx(0, abs=1e-6)
    assert found["tokens_led"] == [12, 0, 0]
