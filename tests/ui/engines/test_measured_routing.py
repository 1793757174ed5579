"""What is known of a checkpoint's router is looked up by the checkpoint that answered."""

import json
import os
from pathlib import Path

import pytest

from ui.engines.loader import EngineLoader
from ui.engines.pool import EnginePool
from usam.checkpoints.fingerprint import fingerprint
from usam.checkpoints.layout import bundled
from usam.schema.answer import ModelInfo

LOAD = [0.2, 0.3, 0.5]


def model_of(folder: Path) -> ModelInfo:
    """A model of the shipped preset, loaded from this folder."""
    return ModelInfo("mini", fingerprint(folder), "none", "cpu", 1, 1.0)


def checkpoint(folder: Path, name: str, weights: bytes) -> Path:
    place = folder / name
    place.mkdir()
    (place / "config.json").write_text("{}")
    (place / "adapter.safetensors").write_bytes(weights)
    return place


@pytest.fixture
def pool(tmp_path: Path) -> EnginePool:
    return EnginePool(EngineLoader(lambda progress: pytest.fail("no model is needed")), [tmp_path])


def test_each_checkpoint_has_its_own_figures(pool: EnginePool, tmp_path: Path) -> None:
    evaluated = checkpoint(tmp_path, "evaluated", b"one")
    (evaluated / "routing.json").write_text(json.dumps({"load": LOAD, "share_by_kind": {}}))
    found = pool.measured_routing(model_of(evaluated))
    shipped = pool.measured_routing(model_of(bundled("mini")))
    assert found is not None
    assert shipped is not None
    assert found["load"] == LOAD != shipped["load"]


def test_one_that_was_not_evaluated_or_is_gone_has_none(pool: EnginePool, tmp_path: Path) -> None:
    new = checkpoint(tmp_path, "new", b"two")
    assert pool.measured_routing(model_of(new)) is None
    assert pool.measured_routing(ModelInfo("mini", "0" * 16, "none", "cpu", 1, 1.0)) is None


def test_a_checkpoint_that_was_trained_further_is_another_one(pool: EnginePool, tmp_path: Path) -> None:
    place = checkpoint(tmp_path, "trained", b"before")
    (place / "routing.json").write_text(json.dumps({"load": LOAD, "share_by_kind": {}}))
    before = model_of(place)
    assert pool.measured_routing(before) is not None
    (place / "adapter.safetensors").write_bytes(b"after!")
    os.utime(place / "adapter.safetensors", ns=(1, 1))  # a clock that is too coarse to tell is no excuse
    assert pool.measured_routing(before) is None
