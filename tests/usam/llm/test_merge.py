"""A LoRA merged without peft is what peft merges, and what only peft understands it still merges."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from tests import tiny
from usam.errors import WeightsError
from usam.llm.lora import CONFIG, VARIANTS, WEIGHTS, merge_lora, save_lora


def by_peft(llm: LlamaForCausalLM, folder: Path, **options: Any) -> dict[str, Tensor]:
    """A LoRA on two kinds of layers, written to the folder, and the weights with which peft merges it."""
    config = LoraConfig(r=4, lora_alpha=12, target_modules=["q_proj", "down_proj"], **options)
    tuned: Any = get_peft_model(copy.deepcopy(llm), config)
    for name, parameter in tuned.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.1)
    save_lora(tuned.to(llm.dtype), folder, "tiny")
    again: Any = PeftModel.from_pretrained(
        copy.deepcopy(llm), folder, torch_device="cpu", low_cpu_mem_usage=True
    )
    return again.merge_and_unload().state_dict()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "options", [{}, {"use_rslora": True}, {"use_dora": True}, {"rank_pattern": {"q_proj": 2}}], ids=str
)
def test_the_weights_are_those_that_peft_merges(
    dtype: torch.dtype, options: dict[str, Any], tmp_path: Path
) -> None:
    llm: Any = tiny.llm()
    llm.to(dtype)
    expected = by_peft(llm, tmp_path, **options)
    merged = merge_lora(copy.deepcopy(llm), tmp_path).state_dict()
    assert merged.keys() == expected.keys()
    for name, weight in expected.items():
        assert torch.equal(merged[name], weight), name
    tuned = "model.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(merged[tuned], llm.state_dict()[tuned])


def test_what_makes_a_lora_more_than_plain_still_has_those_names_in_peft() -> None:
    assert set(VARIANTS) <= set(LoraConfig.__dataclass_fields__)


def test_one_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path) -> None:
    llm = tiny.llm()
    by_peft(llm, tmp_path)
    narrow = tiny.llm(dim=64)
    with pytest.raises(WeightsError, match="cannot be read, or is not for this model"):
        merge_lora(narrow, tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps({**config, "r": 0}))
    with pytest.raises(WeightsError, match="cannot be read"):
        merge_lora(llm, tmp_path)
    (tmp_path / CONFIG).write_text(json.dumps(config))
    (tmp_path / WEIGHTS).write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="cannot be read"):
        merge_lora(llm, tmp_path)
