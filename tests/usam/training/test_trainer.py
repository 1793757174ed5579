"""The training loop: schedules, and stages that go on from the state a run before has left."""

import gzip
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, WhisperConfig

from tests import tiny
from usam.adapter.adapter import USAMAdapter
from usam.config import USAMConfig
from usam.encoders import Whisper
from usam.encoders.whisper import FROZEN_LAYERS
from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.lora import add_llm_lora, add_speech_lora
from usam.training.trainer import (
    LOG_STEPS,
    LOST_STEPS,
    Budget,
    DivergedError,
    draws,
    learning_rate,
    resume,
    train,
)

STATE = Path(__file__).parent / "state_0_1.pt.gz"  # three steps of `model` below, written by release 0.1


@pytest.fixture
def model() -> USAM:
    """A model with every trainable part there is, both LoRAs among them, in the sizes of STATE."""
    torch.manual_seed(0)
    config = USAMConfig(
        encoder_dims=(8, 2, 2),
        llm_dim=8,
        hidden_size=8,
        num_layers=1,
        num_heads=2,
        feedforward_size=8,
        conv_kernel=3,
        slow_size=4,
        expert_size=8,
        anchor_tokens=4,
        lora_rank=2,
        speech_lora_rank=2,
    )
    llm = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tiny.tokenizer()),
            hidden_size=8,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
        )
    )
    whisper = Whisper(
        WhisperConfig(
            d_model=8, encoder_layers=FROZEN_LAYERS + 1, encoder_attention_heads=2, encoder_ffn_dim=8
        )
    )
    built = USAM(USAMAdapter(config), llm, tiny.tokenizer(), [whisper.requires_grad_(False)])
    built.llm.requires_grad_(False)
    add_llm_lora(built)
    add_speech_lora(built)
    return built


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state.pt").write_bytes(gzip.decompress(STATE.read_bytes()))
    return tmp_path


def groups(model: nn.Module) -> list[dict]:
    return [{"params": [p for p in model.parameters() if p.requires_grad], "lr": 1e-3}]


def test_a_state_of_release_0_1_is_taken_up_whole(model: USAM, folder: Path) -> None:
    saved = torch.load(folder / "state.pt", weights_only=True)
    optimizer = torch.optim.AdamW(groups(model))
    assert resume(folder, model, optimizer)[0] == 3
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert trained.keys() == saved["parameters"].keys()
    assert all(torch.equal(p, saved["parameters"][name]) for name, p in trained.items())
    # The optimiser knows its moments by position alone: they are those of the parameters they were taken for.
    for index, p in enumerate(trained.values()):
        assert torch.equal(optimizer.state[p]["exp_avg"], saved["optimizer"]["state"][index]["exp_avg"])


def test_training_goes_on_from_a_state_of_release_0_1(model: USAM, folder: Path) -> None:
    def losses(batch: int, step: int) -> dict[str, Tensor]:
        seen.append(step)
        return {"loss": sum((p.square().sum() for p in model.parameters() if p.requires_grad), Tensor([0]))}

    seen: list[int] = []
    assert train(model, groups(model), iter(range(9)), losses, Budget(steps=5), folder) == 5
    assert seen == [3, 4]


@pytest.mark.parametrize("change", ["missing", "unexpected"])
def test_a_state_of_another_model_is_refused(model: USAM, folder: Path, change: str) -> None:
    state = torch.load(folder / "state.pt", weights_only=True)
    parameters = state["parameters"]
    if change == "missing":
        del parameters["adapter.qformer.queries"]
    else:
        parameters["adapter.qformer.answers"] = torch.zeros(1)
    torch.save(state, folder / "state.pt")
    with pytest.raises(ValueError, match="adapter"):
        resume(folder, model, torch.optim.AdamW(groups(model)))


def test_a_batch_without_finite_gradients_changes_nothing(tmp_path: Path) -> None:
    linear = nn.Linear(1, 1, bias=False)
    before = linear.weight.detach().clone()

    def losses(batch: float, step: int) -> dict[str, Tensor]:
        return {"loss": linear.weight.sum() * batch}

    train(linear, groups(linear), iter([float("nan"), float("inf")]), losses, Budget(steps=2), tmp_path)
    assert torch.equal(linear.weight, before)


def test_a_stage_that_learns_nothing_any_more_ends_in_a_sentence(tmp_path: Path) -> None:
    linear = nn.Linear(1, 1, bias=False)
    before = linear.weight.detach().clone()
    nothing = iter([1.0, *[float("nan")] * LOST_STEPS])

    def losses(batch: float, step: int) -> dict[str, Tensor]:
        return {"loss": (linear.weight - 3).square().sum() * batch}

    with pytest.raises(DivergedError, match=f"last {LOST_STEPS} steps"):
        train(linear, groups(linear), nothing, losses, Budget(steps=10**6), tmp_path)
    assert not torch.equal(linear.weight, before)
    assert linear.weight.isfinite()


def test_the_log_has_the_mean_of_every_loss_since_the_entry_before(tmp_path: Path) -> None:
    linear = nn.Linear(1, 1, bias=False)
    steps = 2 * LOG_STEPS

    def losses(batch: float, step: int) -> dict[str, Tensor]:
        return {"loss": 0.0 * linear.weight.sum(), "batch": torch.tensor(batch)}

    numbers = iter(map(float, range(steps)))
    train(linear, groups(linear), numbers, losses, Budget(steps=steps), tmp_path)
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [LOG_STEPS, steps]
    assert entries[1]["batch"] == pytest.approx((LOG_STEPS + steps - 1) / 2)


def test_accumulated_batches_are_one_large_batch(tmp_path: Path) -> None:
    ends = []
    data = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    for name, size, execution in (("large", 4, Execution()), ("small", 2, Execution(accumulation=2))):
        torch.manual_seed(0)
        linear = nn.Linear(3, 1)

        def losses(batch: Tensor, step: int, linear: nn.Linear = linear) -> dict[str, Tensor]:
            return {"loss": linear(batch).square().mean()}

        train(
            linear,
            groups(linear),
            iter(data.split(size)),
            losses,
            Budget(steps=3),
            tmp_path / name,
            execution=execution,
        )
        ends.append(linear.weight.detach())
    torch.testing.assert_close(*ends)


def test_a_stage_that_goes_on_draws_other_batches(tmp_path: Path) -> None:
    first = draws(tmp_path, 0).random()
    assert draws(tmp_path, 0).random() == first
    assert draws(tmp_path, 1).random() != first
    torch.save({"step": 7}, tmp_path / "state.pt")
    assert draws(tmp_path, 0).random() != first


def test_the_learning_rate_warms_up_and_falls_to_a_hundredth() -> None:
    rates = [learning_rate(2.0, share) for share in (0.0, 0.015, 0.03, 0.5, 1.0)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[1] == pytest.approx(1.0)
    assert rates[2] == pytest.approx(2.0)
    assert 0.02 < rates[3] < 2.0
    assert rates[4] == pytest.approx(0.02)


def test_a_budget_is_steps_or_minutes() -> None:
    assert Budget(steps=10).progress(5, 1e9) == 0.5
    assert Budget(minutes=2).progress(10**9, 60) == 0.5
    with pytest.raises(ValueError, match="steps or minutes"):
        Budget().progress(0, 0)
