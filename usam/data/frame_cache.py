"""Encoder frames of every clip, computed once and kept on disk: the encoders are frozen."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from usam.audio.samples import SAMPLE_RATE
from usam.data.corpus import IMAGINED, Example
from usam.encoders import Encoder, Whisper
from usam.encoders.frames import align, encode, frame_count
from usam.errors import AudioError

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


class FrameCache:
    """A folder of half-precision frames, one file a clip, about 0.27 GB an hour of audio.

    Files are named by what they were computed from: the clip's content and span, and the encoders. A clip
    that was replaced under its name, or another encoder, finds no frames of before.
    """

    def __init__(self, folder: Path, encoders: Sequence[Encoder]) -> None:
        self.folder = folder
        self.encoders = list(encoders)
        self.fingerprint = encoder_fingerprint(encoders)
        self._digests: dict[Path, str] = {}  # files are read once a run
        folder.mkdir(parents=True, exist_ok=True)

    def file(self, example: Example) -> Path:
        """Where the frames of a clip are, or will be. Raises OSError if the clip cannot be read."""
        if example.source == IMAGINED:
            content = example.path.name  # there is no audio
        else:
            content = self._digests.get(example.path) or file_digest(example.path)
            self._digests[example.path] = content
        key = clip_key(content, example, self.fingerprint)
        return self.folder / key[:2] / f"{key}.safetensors"

    def has(self, example: Example) -> bool:
        """Raises OSError if the clip cannot be read."""
        return self.file(example).exists()

    def build(self, examples: Iterable[Example]) -> Iterator[Example]:
        """Compute what is missing; yields each example that is ready, skipping those that cannot be read."""
        for example in examples:
            try:
                if not self.has(example):
                    self.store(self.file(example), example.waveform())
            except (AudioError, OSError):
                continue
            yield example

    @torch.inference_mode()
    def store(self, file: Path, waveform: Tensor) -> None:
        """Write the frames of one waveform; the name appears only once the file is whole.

        Of Whisper, whose upper layers are tuned, the hidden states below them.
        """
        tensors = {
            encoder.name: (
                encoder.lower(waveform) if isinstance(encoder, Whisper) else encode(encoder, waveform)
            )
            .half()
            .contiguous()
            for encoder in self.encoders
        }
        tensors["rates"] = torch.tensor([encoder.frame_rate for encoder in self.encoders])
        tensors["samples"] = torch.tensor([len(waveform)])
        file.parent.mkdir(exist_ok=True)
        part = file.with_suffix(".part")
        save_file(tensors, part)
        part.rename(file)

    def streams(self, example: Example) -> dict[str, Tensor]:
        """The stored tensors: frames [T_i, D_i] by the encoder's name, their `rates` in Hz, `samples`."""
        return load_file(self.file(example))

    def frame_count(self, example: Example) -> int:
        """T of `frames`, without reading them."""
        with safe_open(self.file(example), framework="pt") as stored:
            return frame_count(int(stored.get_tensor("samples")))

    def frames(self, example: Example, names: Sequence[str]) -> Tensor:
        """U [T, D] of a clip, as `USAM.frames` gives it but for the speech encoder's upper layers."""
        stored = self.streams(example)
        return align(
            [stored[name] for name in names], stored["rates"].tolist(), int(stored["samples"]), SAMPLE_RATE
        )


def encoder_fingerprint(encoders: Sequence[Encoder]) -> str:
    """A hash of the encoders' names, rates and weights, a LoRA that is merged into them among these."""
    digest = hashlib.sha256()
    for encoder in encoders:
        digest.update(f"{type(encoder).__name__} {encoder.name} {encoder.frame_rate}".encode())
        for name, weight in cast(nn.Module, encoder).state_dict().items():
            digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
            digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def clip_key(content: str, example: Example, fingerprint: str) -> str:
    """The name of what encoders of this fingerprint make of the clip of this content."""
    return hashlib.sha256(f"{content} {example.span} {fingerprint}".encode()).hexdigest()[:24]


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
