"""A language model by name: a folder, or `owner/name` on the hub, refused in a sentence if it cannot serve.

All that can be known without the weights is asked first: whether it may be read, speaks in turns, and fits
into memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil
import torch
from transformers import AutoConfig, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

from usam.checkpoints.resolve import HUB_NAME
from usam.errors import RequestError, WeightsError
from usam.progress import ProgressCallback
from usam.quantization import Precision

WANTED = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model", "*.txt")
SPARE_BYTES = 600 * 2**20  # for the encoders and what an answer needs
LOADING = 1.15  # of the weights' bytes, while they are read and quantised


def find_llm(name: str, precision: Precision, progress: ProgressCallback) -> Path:
    """The folder of a language model that can answer, downloaded if it has to be.

    Raises RequestError if it cannot serve, WeightsError if it cannot be had.
    """
    folder = Path(name)
    if folder.is_dir():
        check_llm(name, folder, _sizes_below(folder), precision)
        return folder
    if not HUB_NAME.fullmatch(name):
        raise RequestError(f"There is no language model {name!r}: give a folder, or owner/name on the hub.")
    return _download(name, precision, progress)


def check_llm(name: str, folder: Path, sizes: Mapping[str, int], precision: Precision) -> None:
    """Look at configuration and tokenizer in a folder, and at the weight files' sizes (bytes by name).

    Raises RequestError.
    """
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise RequestError(f"{name} is no language model that can be read here ({_line(error)}).") from error
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise RequestError(f"{name} is no causal language model: it is a {config.model_type}.")
    if not tokenizer.chat_template:
        raise RequestError(f"{name} has no chat template; choose a model that is tuned to answer (Instruct).")
    weights = sum(size for file, size in sizes.items() if file.endswith(".safetensors"))
    if not weights:
        raise RequestError(f"{name} has no weights as safetensors, which are the only ones that are read.")
    free = free_bytes(precision)
    needed = int(LOADING * weights) + SPARE_BYTES
    if needed > free:
        raise RequestError(
            f"{name} needs about {_gb(needed)} of memory to load, and {_gb(free)} is free. "
            "Choose a smaller language model."
        )


def free_bytes(precision: Precision) -> int:
    """Memory that is free where the language model is loaded."""
    here = int(psutil.virtual_memory().available)
    if precision.device.type == "cuda":
        return min(here, torch.cuda.mem_get_info(precision.device)[0])
    return here


def _download(name: str, precision: Precision, progress: ProgressCallback) -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    progress(f"Looking for {name} on the model hub", 0.0)
    try:
        info = HfApi().model_info(name, files_metadata=True)
        small = [pattern for pattern in WANTED if "safetensors" not in pattern]
        folder = Path(snapshot_download(name, revision=info.sha, allow_patterns=small))
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        check_llm(name, folder, sizes, precision)
        weights = [file for file in sizes if file.endswith(".safetensors")]
        for index, file in enumerate(sorted(weights)):
            progress(f"Downloading {name}", index / len(weights))
            snapshot_download(name, revision=info.sha, allow_patterns=[file])
        return folder
    except GatedRepoError as error:
        raise WeightsError(
            f"{name} is gated: accept its terms on the hub and set HF_TOKEN to a token that may read it."
        ) from error
    except RepositoryNotFoundError as error:
        raise WeightsError(f"There is no model {name} on the hub, or it is private.") from error
    except (HfHubHTTPError, OSError) as error:
        raise WeightsError(f"{name} could not be fetched from the hub ({_line(error)}).") from error


def _sizes_below(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in folder.iterdir() if file.is_file()}


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
