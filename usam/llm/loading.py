"""Reads a language model from its folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import safe_open
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from usam.errors import WeightsError
from usam.quantization import COMPUTE_DTYPE


def load_llm(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The language model in bfloat16, and its tokenizer. Raises WeightsError if they cannot be read."""
    try:
        with without_progress_bars():
            llm = AutoModelForCausalLM.from_pretrained(folder, dtype=COMPUTE_DTYPE, local_files_only=True)
        return llm, AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{folder.name} cannot be read; delete its folder to fetch it again.") from error


def load_embeddings(folder: Path) -> tuple[Tensor, PreTrainedTokenizerBase]:
    """A language model's input embeddings [V, D] alone, and its tokenizer. Raises WeightsError."""
    try:
        with safe_open(folder / "model.safetensors", framework="pt") as stored:
            names = [name for name in stored.keys() if name.endswith("embed_tokens.weight")]  # noqa: SIM118
            table = stored.get_tensor(names[0])
        return table, AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, IndexError) as error:
        raise WeightsError(f"{folder.name} cannot be read; delete its folder to fetch it again.") from error


@contextmanager
def without_progress_bars() -> Iterator[None]:
    """Without transformers' progress bar, which our own progress stands for."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()
