"""The mean of two adapters: of their weights, not of what they list."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from usam.training.checkpoint_averaging import average


def adapter(folder: Path, value: float, words: int) -> Path:
    (folder / "lora").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"anchor_tokens": words}))
    tensors = {"weight": torch.full((2, 2), value).bfloat16(), "anchor.token_ids": torch.arange(words)}
    save_file(tensors, folder / "model.safetensors")
    save_file({"a": torch.full((3,), -value)}, folder / "lora" / "adapter_model.safetensors")
    return folder


def test_weights_are_halfway_and_the_larger_vocabulary_stays(tmp_path: Path) -> None:
    one, other = adapter(tmp_path / "one", 1.0, 4), adapter(tmp_path / "other", 2.0, 6)
    average(one, other, tmp_path / "out")
    made = load_file(tmp_path / "out" / "model.safetensors")
    assert torch.equal(made["weight"], torch.full((2, 2), 1.5).bfloat16())
    assert torch.equal(made["anchor.token_ids"], torch.arange(6))
    assert load_file(tmp_path / "out" / "lora" / "adapter_model.safetensors")["a"].tolist() == [-1.5] * 3
    assert json.loads((tmp_path / "out" / "config.json").read_text()) == {"anchor_tokens": 6}
    assert load_file(one / "model.safetensors")["weight"].float().mean() == 1.0, "the originals stay"
