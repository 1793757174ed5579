"""Puts a model together: pretrained parts from the cache, the adapter from its checkpoint folder."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from usam.adapter.adapter import USAMAdapter
from usam.config import USAMConfig
from usam.encoders.base import Encoder
from usam.encoders.registry import by_role, load_encoders
from usam.errors import WeightsError
from usam.llm.loading import load_llm, without_progress_bars
from usam.llm.lora import merge_lora
from usam.model.model import LORA, SPEECH_LORA, USAM
from usam.progress import Progress
from usam.quantization import Precision, quantize
from usam.weights.cache import WeightPaths, fetch

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def load_model(checkpoint: Path, precision: Precision, progress: Progress | None = None) -> USAM:
    """A whole U-SAM ready to answer: weights fetched if missing, LoRA merged, the LLM quantised.

    LoRA is merged before quantisation: the answer then costs no extra layers. Raises WeightsError.
    """
    tell = progress or (lambda message, share: None)
    adapter = load_adapter(checkpoint)
    paths = fetch(adapter.config.preset, lambda message, share: tell(message, 0.7 * share))
    tell("Loading the encoders", 0.7)
    encoders = frozen_encoders(paths, adapter.config.encoder_names, checkpoint / SPEECH_LORA)
    tell("Loading the language model", 0.8)
    llm, tokenizer = load_llm(paths.llm)
    if (checkpoint / LORA).exists():
        llm = merge_lora(llm, checkpoint / LORA)
    tell("Quantising the language model", 0.9)
    llm = quantize(llm, precision)
    model = USAM(adapter, llm, tokenizer, encoders, checkpoint).to(precision.device)
    tell("Ready", 1.0)
    return model.eval().requires_grad_(False)


def checkpoint_folder(name: str | Path) -> Path:
    """The folder of a checkpoint: itself, or a copy of `owner/name` from the hub. Raises WeightsError."""
    if Path(name).is_dir():
        return Path(name)
    if not _HUB_NAME.fullmatch(str(name)):
        raise WeightsError(f"There is no checkpoint folder {str(name)!r}.")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(name)))
    except Exception as error:  # the hub's client raises many kinds, its HTTP library's among them
        raise WeightsError(f"The checkpoint {str(name)!r} is neither a folder nor on the hub.") from error


def load_adapter(checkpoint: Path) -> USAMAdapter:
    """The adapter in float32. Raises WeightsError if it is missing or its weights do not fit its config."""
    if not (checkpoint / "config.json").exists():
        raise WeightsError(f"There is no checkpoint in {checkpoint.name!r}: its config.json is missing.")
    try:
        with without_progress_bars():
            loaded: Any = USAMAdapter.from_pretrained(
                checkpoint, dtype=torch.float32, local_files_only=True, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(f"The checkpoint {checkpoint.name!r} cannot be read.") from error
    adapter, report = loaded
    if report["missing_keys"] or report["unexpected_keys"] or report["mismatched_keys"]:
        raise WeightsError(f"The checkpoint {checkpoint.name!r} does not fit its config.json.")
    return adapter


def frozen_encoders(
    paths: WeightPaths,
    names: Sequence[str] = USAMConfig.encoder_names,
    speech_lora: Path | None = None,
) -> tuple[Encoder, ...]:
    """The encoders in the precision they answer in; the speech encoder with its LoRA, if there is one.

    Raises WeightsError.
    """
    encoders = load_encoders(paths, names)
    speech: Any = by_role(encoders, "speech")
    if speech_lora is not None and speech_lora.exists():
        speech.encoder = merge_lora(speech.encoder, speech_lora)
    # In the precision whose frames the adapter was trained on; for Whisper that is also three times as fast.
    speech.to(torch.bfloat16)
    return encoders
