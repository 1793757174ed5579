"""LoRA in peft's format: added to a frozen model's weights, or written."""

import warnings
from pathlib import Path

from transformers import PreTrainedModel

from usam.quantization import import_bitsandbytes


def merge_lora(base: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """The LLM or the speech encoder with a LoRA added to its weights."""
    import_bitsandbytes()
    from peft import PeftModel  # half a second that a model without LoRA can spare

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
