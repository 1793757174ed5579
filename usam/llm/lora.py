"""LoRA in peft's format: added to a frozen model's weights, or written."""

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import PreTrainedModel

from usam.errors import WeightsError
from usam.quantization import import_bitsandbytes

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX, DOWN, UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"  # in peft's names
# What makes a LoRA more than two matrices a layer, a rank and an alpha. peft itself merges such a one.
VARIANTS = (
    "alora_invocation_tokens",
    "alpha_pattern",
    "arrow_config",
    "fan_in_fan_out",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "modules_to_save",
    "monteclora_config",
    "rank_pattern",
    "target_parameters",
    "trainable_token_indices",
    "use_bdlora",
    "use_dora",
    "use_qalora",
    "use_rslora",
    "velora_config",
)


def merge_lora(base: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """The LLM or the speech encoder with a LoRA added to its weights: W + alpha / r * B A.

    Importing peft and putting its layers in the place of the model's takes two seconds of every start, so it
    is left to what only peft understands. Raises WeightsError if the LoRA cannot be read or does not fit.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if any(config.get(field) for field in VARIANTS):
            return _merge_by_peft(base, folder)
        return _merge(base, load_file(folder / WEIGHTS), config["lora_alpha"] / config["r"])
    except (
        OSError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise WeightsError(
            f"The LoRA in {folder.name!r} cannot be read, or is not for this model."
        ) from error


@torch.no_grad()
def _merge(base: PreTrainedModel, lora: dict[str, torch.Tensor], scale: float) -> PreTrainedModel:
    for name in sorted(name for name in lora if name.endswith(DOWN)):
        down, up = lora.pop(name), lora.pop(name.removesuffix(DOWN) + UP)
        layer: Any = base.get_submodule(name.removeprefix(PREFIX).removesuffix(DOWN))
        # `linear` multiplies thin matrices several times faster than `@` does.
        layer.weight += F.linear(up.float(), down.float().T) * scale
    if lora:
        raise ValueError(f"not of a plain LoRA: {next(iter(lora))}")
    return base


def _merge_by_peft(base: PreTrainedModel, folder: Path) -> PreTrainedModel:
    import_bitsandbytes()
    from peft import PeftModel

    with warnings.catch_warnings():
        # peft still asks transformers for an attribute by its old name.
        warnings.simplefilter("ignore", FutureWarning)
        # Read where the base model is, not on the GPU that peft would look for.
        tuned = PeftModel.from_pretrained(base, folder, torch_device="cpu", low_cpu_mem_usage=True)
        return tuned.merge_and_unload()


def save_lora(tuned: PreTrainedModel, folder: Path, base: str) -> None:
    """Write a model's LoRA in peft's format, naming its base model instead of a path on this machine."""
    for config in tuned.peft_config.values():
        config.base_model_name_or_path = base
    # Whether the vocabulary grew (it never does) peft would look up on the hub.
    tuned.save_pretrained(folder, save_embedding_layers=False)
    # peft's own card names the path, and the checkpoint has a card of its own.
    (folder / "README.md").unlink(missing_ok=True)
