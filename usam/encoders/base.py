"""What the frozen encoders have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from usam.config import Role
from usam.errors import WeightsError

__all__ = ["Encoder", "Role", "SoundClassifier"]


class Encoder(Protocol):
    """Turns a waveform into frames at a fixed rate. Has to be an `nn.Module`, to move with the model.

    name: as configs call it. role: what it listens for. dim: width of a frame. frame_rate: of frames, in Hz.
    sample_rate: of the waveforms it takes, in Hz.
    """

    name: str
    role: Role
    dim: int
    frame_rate: float
    sample_rate: int

    def frames(self, waveform: Tensor) -> Tensor:
        """[samples] at `sample_rate` -> float32 [ceil(samples / sample_rate * frame_rate), dim], without
        gradients."""
        ...


@runtime_checkable
class SoundClassifier(Encoder, Protocol):
    """An encoder with a head over AudioSet's classes: it says where someone speaks and what else is heard."""

    classes: tuple[str, ...]

    def scores(self, frames: Tensor) -> Tensor:
        """Its frames [T, dim] -> probabilities [T, len(classes)]."""
        ...


def pad_to_frames(waveform: Tensor, samples_per_frame: int, context: int = 0) -> tuple[Tensor, int]:
    """Adds silence up to a whole number of frames plus `context` samples, so the last frame is heard in full.

    [samples] -> ([frames * samples_per_frame + context], frames)
    """
    count = -(-waveform.shape[-1] // samples_per_frame)
    return F.pad(waveform, (0, count * samples_per_frame + context - waveform.shape[-1])), count


def load_strictly(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Loads `state` with no missing and no unexpected keys, then freezes. Raises WeightsError otherwise."""
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as cause:
        raise WeightsError(f"The weights do not fit {type(module).__name__}; fetch them again.") from cause
    module.eval().requires_grad_(False)


def read_weights(directory: Path) -> dict[str, Tensor]:
    """Every tensor of `directory/model.safetensors`. Raises WeightsError when it cannot be read."""
    with readable(directory):
        return load_file(directory / "model.safetensors")


@contextmanager
def readable(directory: Path) -> Iterator[None]:
    """Turns a failure to read weights into a WeightsError."""
    try:
        yield
    except Exception as cause:
        raise WeightsError(
            f"The weights in {directory} cannot be read; delete the folder to fetch them again."
        ) from cause


def placement(module: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Where a module's weights are and in which precision."""
    weight = next(module.parameters())
    return weight.device, weight.dtype
