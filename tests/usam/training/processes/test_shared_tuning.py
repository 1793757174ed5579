"""Tuning in two processes that accelerate started."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.usam.training.processes.launching import launch
from tests.usam.training.processes.shared_tuning import CUT, STEPS
from usam.checkpoints.layout import LORA

WEIGHTS = f"{LORA}/adapter_model.safetensors"


@pytest.mark.slow
def test_two_processes_tune_one_checkpoint_and_end_together(tmp_path: Path) -> None:
    (tmp_path / "parent").mkdir()
    (tmp_path / "parent" / "config.json").write_text("{}")
    launch("tests.usam.training.processes.shared_tuning", str(tmp_path))
    first, second = (json.loads((tmp_path / f"{index}.json").read_text()) for index in range(2))
    folders = {"clips", "parent", "whole", "whole-work", "cut-work", "again", "early", "early-work"}
    assert {place.name for place in tmp_path.iterdir() if place.is_dir()} == folders

    whole = first["whole"]["drawn"], second["whole"]["drawn"]
    assert len(whole[0]) == len(whole[1]) == STEPS
    assert len({name for drawn in whole for batch in drawn[:2] for name in batch}) == 12, "each draws its own"
    for run in (first, second):
        assert run["cut"]["status"] == 130
        assert run["cut"]["drawn"] + run["again"]["drawn"] == run["whole"]["drawn"]
        assert len(run["cut"]["drawn"]) == CUT - 1
        assert len(run["early"]["drawn"]) == 2, "the first process's check ends both"
    assert first["whole"]["scored"] > second["whole"]["scored"] == 0, "one computes, the other reads"
    assert [sum(run["exported"] for run in each.values()) for each in (first, second)] == [4, 0]
    assert {run["status"] for run in second.values()} == {0, 130}

    record = json.loads((tmp_path / "whole" / "tuning.json").read_text())
    assert record["settings"]["processes"] == 2
    assert record["after"]["right"]
    assert json.loads((tmp_path / "early" / "tuning.json").read_text())["ended"] == "far from the reference"
    weights, again = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "again"))
    assert all(tensor.any() for name, tensor in weights.items() if "lora_B" in name)
    assert all(torch.equal(again[name], tensor) for name, tensor in weights.items())
