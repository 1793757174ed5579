"""A LoRA learns over the weights that answers come from."""

import copy
from itertools import repeat
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn

from tests import tiny
from usam.quantization import choose_precision, quantize
from usam.training.rounding import EVERY, Rounding
from usam.training.trainer import Budget, train

IDS = torch.arange(3, 40)[None]


@pytest.fixture
def tuned() -> PeftModel:
    torch.manual_seed(1)
    targets = ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"]
    llm = get_peft_model(tiny.llm(64).bfloat16(), LoraConfig(r=4, target_modules=targets))
    change(llm)
    return llm


def change(llm: PeftModel) -> None:
    for name, parameter in llm.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.3)


@torch.no_grad()
def logits(llm: nn.Module) -> Tensor:
    return llm(input_ids=IDS).logits.float()


def answering(llm: PeftModel) -> Tensor:
    """What the LLM says once its LoRA is merged and it is quantised."""
    merged = copy.deepcopy(llm).merge_and_unload()
    return logits(quantize(merged, choose_precision("nf4", "cpu")))


def error(one: Tensor, other: Tensor) -> float:
    return float((one - other).square().mean())


def test_the_llm_under_training_says_what_it_will_answer(tuned: PeftModel) -> None:
    exact = copy.deepcopy(tuned)
    rounding = Rounding(tuned)
    for _ in range(2):
        rounding.refresh()
        wanted = answering(exact)
        assert error(logits(tuned), wanted) < 0.2 * error(logits(exact), wanted)
        torch.manual_seed(2)
        change(tuned)
        torch.manual_seed(2)
        change(exact)


def test_errors_are_computed_anew_now_and_then(tuned: PeftModel, tmp_path: Path) -> None:
    rounding, errors = Rounding(tuned), []

    def losses(_: None, step: int) -> dict[str, Tensor]:
        errors.append(error(logits(tuned), answering(original(tuned, rounding))))
        return {"loss": tuned(input_ids=IDS, labels=IDS).loss}

    lora = [parameter for parameter in tuned.parameters() if parameter.requires_grad]
    groups, budget = [{"params": lora, "lr": 0.3}], Budget(steps=EVERY + 1)
    train(tuned, groups, repeat(None), losses, budget, tmp_path, before_step=rounding)
    assert errors[EVERY] < 0.5 * max(errors[1:EVERY])
    assert errors[0] < 0.5 * max(errors[1:EVERY])


def original(llm: PeftModel, rounding: Rounding) -> PeftModel:
    """The LLM with the weights it came with under the LoRA it has now."""
    copied = copy.deepcopy(llm)
    exact = [weight for _, weight in rounding.layers]
    for layer, weight in zip(Rounding(copied).layers, exact, strict=True):
        layer[0].get_base_layer().weight.data.copy_(weight)
    return copied
