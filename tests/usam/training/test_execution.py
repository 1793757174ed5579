"""How training computes: devices, precision, and processes that share a stage."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from tests import tiny
from tests.usam.training.processes.launching import launch
from usam.adapter.words import WordGrid
from usam.schema.tasks import SpeechRequest
from usam.training.execution import Execution, to_device, write_settings
from usam.training.lora import add_llm_lora
from usam.training.pipeline import TrainingOptions
from usam.training.trainer import Budget


@pytest.mark.slow
def test_two_processes_train_one_model_on_different_batches_and_go_on(tmp_path: Path) -> None:
    launch("tests.usam.training.processes.shared_run", str(tmp_path))
    first, second = (json.loads((tmp_path / f"{index}.json").read_text()) for index in range(2))
    assert [run["taken"] for run in first] == [run["taken"] for run in second] == [3, 5]
    assert [run["values"] for run in first] == [run["values"] for run in second]
    assert first[0]["values"] != first[1]["values"]
    drawn = [set(run["drawn"]) for run in (*first, *second)]
    assert [len(each) for each in drawn] == [3, 2, 3, 2]
    assert len(set.union(*drawn)) == 10
    state = torch.load(tmp_path / "stage" / "state.pt", weights_only=True)
    trained = set(state["optimizer"]["state"])
    assert trained == {0, 1, 2, 3}  # "sometimes" too, which one process alone uses, and never "never"


@dataclass(frozen=True)
class Batch:
    tensors: tuple[torch.Tensor, ...]
    words: WordGrid | None
    name: str


def test_a_batch_moves_with_all_its_tensors_and_nothing_else() -> None:
    grid = tiny.model(words=True)
    hearing = grid.hear(tiny.clip(1.0).waveform)
    words = grid.word_grid(grid.place_words(hearing, SpeechRequest()), len(hearing.frames))
    batch = Batch((torch.zeros(2), torch.ones(1)), words, "a")
    moved = to_device(batch, torch.device("meta"))
    assert [tensor.device.type for tensor in moved.tensors] == ["meta", "meta"]
    assert moved.words is not None
    assert {part.device.type for part in vars(moved.words).values()} == {"meta"}
    assert to_device(batch, torch.device("cpu")) is batch
    prompt = grid.prompts.build("Hi?")
    assert to_device([prompt], torch.device("meta"))[0].left.device.type == "meta"


@pytest.mark.parametrize("execution", [Execution(gradient_checkpointing=True), Execution(qlora=True)])
def test_gradients_reach_the_lora_whatever_is_saved(execution: Execution) -> None:
    losses, gradients = [], []
    for chosen in (Execution(), execution):
        model = tiny.model()
        model.llm.to(torch.bfloat16)
        torch.manual_seed(0)
        add_llm_lora(model, execution=chosen)
        model.llm.train()
        prompt = model.prompts.build("What is it?")
        audio = model.embed_audio(
            torch.randn(1, 32, sum(tiny.DIMS), generator=torch.Generator().manual_seed(0)),
            torch.ones(1, 32, dtype=torch.bool),
            [prompt.question],
        )
        with chosen.autocast(model.device):
            inputs = model.assemble(audio, [prompt], [model.prompts.answer("A dog.")])
            loss = model.answer_loss(inputs).mean()
        loss.backward()
        losses.append(loss.item())
        gradients.append([p.grad for name, p in model.llm.named_parameters() if "lora_B" in name])
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients[1])
    assert any(gradient.any() for gradient in gradients[1])
    assert losses[1] == pytest.approx(losses[0], rel=0.15 if execution.qlora else 1e-3)


def test_the_precision_is_chosen() -> None:
    device, ones = torch.device("cpu"), torch.ones(2, 2)
    for execution, dtype in ((Execution(), torch.bfloat16), (Execution(bf16=False), torch.float32)):
        with execution.autocast(device):
            assert (ones @ ones).dtype == dtype
    with pytest.raises(ValueError, match="accumulation"):
        Execution(accumulation=0)


def test_only_what_changes_a_result_tells_runs_apart() -> None:
    assert Execution().changes() == Execution(gradient_checkpointing=True).changes() == {}
    assert Execution().arithmetic == Execution(accumulation=2).arithmetic == ""
    other = Execution(bf16=False, accumulation=2, qlora=True)
    assert other.changes() == {"bf16": False, "accumulation": 2, "qlora": True}
    assert other.arithmetic == "float32-qlora"


def test_a_checkpoint_keeps_the_settings_of_its_run_and_no_place_on_this_machine(tmp_path: Path) -> None:
    options = TrainingOptions(
        corpus=tmp_path / "clips",
        work=tmp_path / "work",
        output=tmp_path / "out",
        heldout=("a.ogg",),
        align=Budget(steps=7),
        execution=Execution(accumulation=4),
    )
    write_settings(tmp_path, "train", options)
    text = (tmp_path / "training.json").read_text()
    assert str(tmp_path) not in text
    kept = json.loads(text)
    assert kept["command"] == "train"
    assert kept["settings"]["corpus"] == "clips"
    assert kept["settings"]["align"] == {"steps": 7, "minutes": None}
    assert kept["settings"]["execution"]["accumulation"] == 4
    assert kept["settings"]["heldout"] == ["a.ogg"]
    assert "ablate" not in kept["settings"]
    assert "torch" in kept["versions"]
