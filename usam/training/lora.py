"""LoRA layers to train: on the LLM, and on the speech encoder's upper layers."""

from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from usam.checkpoints.layout import LORA, SPEECH_LORA
from usam.encoders import Whisper
from usam.encoders.whisper import FROZEN_LAYERS
from usam.model.model import USAM
from usam.quantization import Precision, quantize
from usam.training.execution import Execution


def add_llm_lora(model: USAM, start: Path | None = None, execution: Execution = Execution()) -> None:
    """Wrap the LLM with LoRA layers (peft): fresh ones, or those of the checkpoint `start` to go on with.

    Before, the LLM is made as `execution` wants it: in 4 bits, or with checkpointed activations.
    """
    config = model.adapter.config
    if execution.qlora:
        model.llm = quantize(model.llm, Precision("nf4", model.device, "QLoRA"))
        _keep_unpacked(model.llm)
    if execution.gradient_checkpointing:
        model.llm.activation_checkpointing_enable({"use_reentrant": False})
    lora = LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        target_modules=list(config.lora_targets),
        task_type="CAUSAL_LM",
    )
    model.llm = _tunable(model.llm, lora, start and start / LORA)


def add_speech_lora(model: USAM, start: Path | None = None) -> None:
    """Wrap the speech encoder's layers above those that are cached, as `add_llm_lora` does the LLM's."""
    config, whisper = model.adapter.config, model.encoder("speech")
    assert isinstance(whisper, Whisper)
    lora = LoraConfig(
        r=config.speech_lora_rank,
        lora_alpha=config.speech_lora_alpha,
        target_modules=list(config.speech_lora_targets),
        layers_to_transform=list(range(FROZEN_LAYERS, len(whisper.encoder.layers))),
        layers_pattern="layers",
    )
    whisper.encoder = _tunable(whisper.encoder, lora, start and start / SPEECH_LORA)


def _keep_unpacked(llm: nn.Module) -> None:
    """Keep 4-bit weights in the layout that passes gradients.

    On processors with AVX512-BF16 bitsandbytes packs them for answers once they are read in evaluation mode,
    and nothing goes back through packed ones.
    """
    layers: list[Any] = list(llm.modules())
    for layer in layers:
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False


def _tunable(base: Any, lora: LoraConfig, folder: Path | None) -> Any:
    """The model with the LoRA kept in `folder`, or a fresh one where there is none."""
    if folder is not None and folder.exists():
        return PeftModel.from_pretrained(base, folder, is_trainable=True)
    return get_peft_model(base, lora)
