"""Encoder frames of every clip, computed once and kept on disk: the encoders are frozen."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from usam.audio.samples import SAMPLE_RATE
from usam.data.corpus import Example
from usam.encoders import Encoder, Whisper
from usam.encoders.frames import align
from usam.errors import AudioError

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


class FrameCache:
    """A folder of half-precision frames, one file a clip, about 0.27 GB an hour of audio."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def file(self, example: Example) -> Path:
        key = hashlib.sha256(f"{example.path}#{example.span}".encode()).hexdigest()[:24]
        return self.folder / key[:2] / f"{key}.safetensors"

    def has(self, example: Example) -> bool:
        return self.file(example).exists()

    def build(self, examples: Iterable[Example], encoders: Sequence[Encoder]) -> Iterator[Example]:
        """Compute what is missing; yields each example that is ready, skipping those that cannot be heard."""
        for example in examples:
            if not self.has(example):
                try:
                    waveform = example.waveform()
                except AudioError:
                    continue
                self.store(self.file(example), waveform, encoders)
            yield example

    @torch.inference_mode()
    def store(self, file: Path, waveform: Tensor, encoders: Sequence[Encoder]) -> None:
        """Write the frames of one waveform; the name appears only once the file is whole.

        Of Whisper, whose upper layers are tuned, the hidden states below them.
        """
        tensors = {
            encoder.name: (encoder.lower if isinstance(encoder, Whisper) else encoder.frames)(waveform)
            .half()
            .contiguous()
            for encoder in encoders
        }
        tensors["rates"] = torch.tensor([encoder.frame_rate for encoder in encoders])
        tensors["samples"] = torch.tensor([len(waveform)])
        file.parent.mkdir(exist_ok=True)
        part = file.with_suffix(".part")
        save_file(tensors, part)
        part.rename(file)

    def streams(self, example: Example) -> dict[str, Tensor]:
        return load_file(self.file(example))

    def frames(self, example: Example, names: Sequence[str]) -> Tensor:
        """U [T, D] of a clip, as `USAM.frames` gives it but for the speech encoder's upper layers."""
        stored = self.streams(example)
        return align(
            [stored[name] for name in names], stored["rates"].tolist(), int(stored["samples"]), SAMPLE_RATE
        )


def prefetch(items: Iterable[Item], load: Callable[[Item], Loaded], ahead: int = 4) -> Iterator[Loaded]:
    """Apply `load` to items a few steps ahead, in a thread, so that reading overlaps computing."""
    with ThreadPoolExecutor(1) as pool:
        pending: deque[Future[Loaded]] = deque()
        for item in items:
            pending.append(pool.submit(load, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
