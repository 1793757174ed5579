"""Which model gives the answers."""

import hashlib
from pathlib import Path

import numpy as np
from torch import Tensor

from usam.checkpoints.fingerprint import fingerprint
from usam.model.model import USAM
from usam.quantization import Precision
from usam.schema.answer import ModelInfo


def describe(model: USAM, precision: Precision, checkpoint: Path, llm: str | None = None) -> ModelInfo:
    """Size, place and identity of a loaded model; before another language model it is another one."""
    parameters = list(model.parameters())
    tensors = {tensor.data_ptr(): tensor for tensor in [*parameters, *model.buffers()]}
    return ModelInfo(
        preset=model.adapter.config.preset,
        fingerprint=identity(checkpoint, llm),
        quantization=precision.quantization,
        device=str(precision.device),
        parameters=sum(parameter_count(parameter) for parameter in parameters),
        memory_mb=round(sum(t.numel() * t.element_size() for t in tensors.values()) / 2**20, 1),
        reason=precision.reason,
        llm=llm,
    )


def identity(checkpoint: Path, llm: str | None) -> str:
    """The checkpoint's fingerprint, or one of checkpoint and language model together."""
    own = fingerprint(checkpoint)
    return own if llm is None else hashlib.sha256(f"{own} {llm}".encode()).hexdigest()[: len(own)]


def parameter_count(parameter: Tensor) -> int:
    """Weights of a parameter; a packed 4-bit one holds two a byte."""
    state = getattr(parameter, "quant_state", None)
    return int(np.prod(state.shape)) if state is not None else parameter.numel()
