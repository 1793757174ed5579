"""Control runs: models without a part, and the table of what each run reached."""

import json
from pathlib import Path

import pytest
import torch

from usam.adapter import USAMAdapter
from usam.config import USAMConfig
from usam.training.alignment import saclm_start
from usam.training.controls import CONTROLS, WHOLE, gather, table
from usam.training.loop import Budget


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_hears_a_clip(name: str) -> None:
    sizes = {**CONTROLS[name].sizes}
    adapter = USAMAdapter(USAMConfig(slow_size=64, **sizes)).eval()
    frames, mask = torch.randn(1, 20, adapter.config.frame_dim), torch.ones(1, 20, dtype=torch.bool)
    audio = adapter(frames, mask, torch.randn(1, adapter.config.llm_dim))
    assert audio.tokens.shape == (1, 5, adapter.config.llm_dim)
    assert torch.allclose(audio.routing.sum(-1), torch.ones(1, 5))


def test_one_expert_is_as_large_as_the_three_it_stands_for() -> None:
    def weights(name: str) -> int:
        adapter = USAMAdapter(USAMConfig(**CONTROLS[name].sizes))
        return sum(p.numel() for p in adapter.projector.experts.parameters())

    assert weights("one expert") == pytest.approx(weights(WHOLE), rel=0.01)


def test_saclm_joins_a_short_run_after_a_third_of_it() -> None:
    assert saclm_start(Budget(steps=300)) == 100
    assert saclm_start(Budget(steps=20_000)) == saclm_start(Budget(minutes=9)) == 1_500


def test_the_table_has_the_mean_and_the_range_of_the_seeds(tmp_path: Path) -> None:
    for seed, errors in enumerate((0.5, 0.7)):
        folder = tmp_path / f"one-expert-{seed}"
        folder.mkdir()
        (folder / "figures.json").write_text(json.dumps({"transcription": errors}))
    rows = table(gather(tmp_path)).splitlines()
    [row] = [row for row in rows if row.startswith("| one expert | 2 |")]
    assert "0.600 (0.500 to 0.700)" in row
