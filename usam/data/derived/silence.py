"""Clips in which nothing is heard: silence, hum and hiss, so that the model learns to say so."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import soundfile
import torch
from torch import Tensor

from usam.audio.samples import SAMPLE_RATE
from usam.data.corpus import Example


def nothing(seed: int) -> Tensor:
    """One waveform [samples] of 0.5 to 12 s: digital silence, or faint noise (white, pink, brown) or hum."""
    random = Random(seed)
    generator = torch.Generator().manual_seed(seed)
    samples = int(SAMPLE_RATE * random.uniform(0.5, 12.0))
    level = 10 ** (random.uniform(-90, -45) / 20)
    match random.choice(("silence", "white", "pink", "brown", "hum")):
        case "silence":
            return torch.zeros(samples)
        case "hum":
            time = torch.arange(samples) / SAMPLE_RATE
            return level * torch.sin(2 * torch.pi * random.choice((50.0, 60.0)) * time)
        case colour:
            power = {"white": 0.0, "pink": 0.5, "brown": 1.0}[colour]
            spectrum = torch.fft.rfft(torch.randn(samples, generator=generator))
            spectrum *= torch.arange(1, len(spectrum) + 1).float() ** -power
            noise = torch.fft.irfft(spectrum, samples)
            return level * noise / noise.square().mean().sqrt()


def write_silence(folder: Path, count: int) -> Iterator[Example]:
    """`count` clips in a folder, made once; yields their examples."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        path = folder / f"{index:05d}.flac"
        waveform = nothing(index)
        if not path.exists():
            soundfile.write(path, waveform.numpy(), SAMPLE_RATE)
        yield Example(
            path=path,
            seconds=len(waveform) / SAMPLE_RATE,
            kind="sound",
            transcript=None,
            label=None,
            group=f"silence:{index}",
            source="silence",
            licence="CC0-1.0",
            language="",
        )
