"""Loads parts of a model: the adapter from its checkpoint folder, the frozen encoders from the cache."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from usam.adapter.adapter import USAMAdapter
from usam.config import USAMConfig
from usam.encoders.base import Encoder
from usam.encoders.registry import by_role, load_encoders
from usam.errors import WeightsError
from usam.llm.loading import without_progress_bars
from usam.llm.lora import merge_lora
from usam.weights.cache import WeightPaths


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
