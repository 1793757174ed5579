"""Retraining without a part: models that lack it for good, and the table of what each run reached."""

import json
from pathlib import Path

import pytest
import torch

from usam.adapter.adapter import USAMAdapter
from usam.adapter.tokens import AudioTokens
from usam.config import USAMConfig
from usam.evaluation.ablations.retraining import ABLATIONS, WHOLE, gather, table
from usam.training.stages.alignment import saclm_start
from usam.training.trainer import Budget

FRAMES = 20


def heard(adapter: USAMAdapter) -> AudioTokens:
    torch.manual_seed(1)
    frames, mask = torch.randn(1, FRAMES, adapter.config.frame_dim), torch.ones(1, FRAMES, dtype=torch.bool)
    audio: AudioTokens = adapter.eval()(frames, mask, torch.randn(1, adapter.config.llm_dim))
    return audio


@pytest.fixture
def adapter() -> USAMAdapter:
    """An adapter whose every parameter does something, as after training."""
    torch.manual_seed(0)
    adapter = USAMAdapter(USAMConfig(slow_size=64))
    for parameter in adapter.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return adapter


def test_silenced_layers_are_those_left_out_and_training_does_not_bring_them_back(
    adapter: USAMAdapter,
) -> None:
    before = heard(adapter).tokens
    adapter.qformer.direct = True
    direct = heard(adapter).tokens
    adapter.qformer.direct = False
    ABLATIONS["no Q-Former layers"].ablate(adapter)
    train_a_step(adapter)
    assert not torch.allclose(before, direct)
    assert torch.allclose(heard(adapter).tokens, heard_directly(adapter), atol=1e-5)


def test_one_expert_is_all_of_them_alike_before_and_after_a_step(adapter: USAMAdapter) -> None:
    assert heard(adapter).routing.std() > 0
    ABLATIONS["one expert"].ablate(adapter)
    train_a_step(adapter)
    assert torch.allclose(heard(adapter).routing, torch.full((1, 5, 3), 1 / 3))


def test_the_run_with_all_parts_is_left_as_it_is(adapter: USAMAdapter) -> None:
    before = heard(adapter).tokens
    ABLATIONS[WHOLE].ablate(adapter)
    assert torch.equal(heard(adapter).tokens, before)
    assert all(parameter.requires_grad for parameter in adapter.parameters())


def heard_directly(adapter: USAMAdapter) -> torch.Tensor:
    adapter.qformer.direct = True
    return heard(adapter).tokens


def train_a_step(adapter: USAMAdapter) -> None:
    optimizer = torch.optim.SGD([p for p in adapter.parameters() if p.requires_grad], lr=0.1)
    heard(adapter).tokens.square().mean().backward()
    optimizer.step()


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
