"""Loads parts of a model: the adapter from its checkpoint folder, the frozen encoders from the cache."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from usam.adapter.adapter import USAMAdapter
from usam.adapter.untrained import untrained_adapter
from usam.checkpoints.layout import bundled
from usam.config import USAMConfig
from usam.encoders.base import Encoder
from usam.encoders.registry import load_encoders
from usam.encoders.whisper import Whisper
from usam.errors import RequestError, WeightsError
from usam.llm.loading import without_progress_bars
from usam.llm.lora import merge_lora
from usam.presets import PRESETS
from usam.weights.cache import home


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


def preset_checkpoint(preset: str) -> Path:
    """The checkpoint that comes with a preset; without one, and for a preset with words, an adapter that
    reads the words alone, which is made once and kept beside the weights.

    Raises RequestError if there is neither.
    """
    folder = bundled(preset)
    if (folder / "config.json").exists():
        return folder
    config = USAMConfig.from_preset(preset)
    if not config.words:
        raise RequestError(f"There is no trained checkpoint of the preset {preset!r}; name one.")
    fields = json.dumps(dict(PRESETS[preset].fields), sort_keys=True)
    made = home() / "untrained" / f"{preset}-{hashlib.sha256(fields.encode()).hexdigest()[:12]}"
    if not (made / "config.json").exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=made.parent) as scratch:
            untrained_adapter(config).save_pretrained(scratch)
            shutil.copytree(scratch, made, dirs_exist_ok=True)
    return made


def frozen_encoders(
    folders: Mapping[str, Path], config: USAMConfig | None = None, speech_lora: Path | None = None
) -> tuple[Encoder, ...]:
    """A configuration's encoders in the precision they answer in; the speech encoder with its LoRA, if there
    is one.

    Raises WeightsError.
    """
    encoders = load_encoders(folders, config)
    speech: Any = next((encoder for encoder in encoders if encoder.role == "speech"), None)
    if speech is None:
        return encoders
    if speech_lora is not None and speech_lora.exists():
        speech.encoder = merge_lora(speech.encoder, speech_lora)
    if isinstance(speech, Whisper):
        # In the precision whose frames the adapter was trained on; that is also three times as fast.
        speech.to(torch.bfloat16)
    return encoders


def check_width(llm: PreTrainedModel | Tensor, config: USAMConfig) -> None:
    """Raises WeightsError unless a language model's embeddings are as wide as the adapter's tokens."""
    table = llm if isinstance(llm, Tensor) else cast(nn.Embedding, llm.get_input_embeddings()).weight
    width = table.shape[-1]
    if width != config.llm_dim:
        raise WeightsError(
            f"The language model {config.llm_name} has embeddings {width} wide; "
            f"the adapter was made for {config.llm_dim}."
        )
