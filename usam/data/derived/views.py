"""The same sounds and music as other microphones would have them: other pitch, room, colour, noise and level.

Most labels come from one or two collections, and a collection sounds like itself. What a clip and its view
share is the sound.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from usam.audio.samples import SAMPLE_RATE
from usam.data.augmentation import change_speed, coloured_noise, mix, pad, reverberate, to_level
from usam.data.corpus import Example
from usam.errors import AudioError

SPEED = (0.8, 1.25)
TILT = 0.5  # amplitude over frequency to a power of at most this, either way: 3 dB an octave
SILENCE = 0.3  # seconds before and after


def view(waveform: Tensor, rng: np.random.Generator) -> Tensor:
    """Another recording of a waveform [samples] at 16 kHz, by a draw."""
    waveform = change_speed(waveform, SAMPLE_RATE, rng.uniform(*SPEED))
    waveform = tilt(pad(waveform, *rng.uniform(0, SILENCE, 2) * SAMPLE_RATE), rng.uniform(-TILT, TILT))
    if rng.random() < 0.5:
        waveform = reverberate(waveform, rng)
    if rng.random() < 0.5:
        waveform = mix(waveform, coloured_noise(len(waveform), rng.uniform(0, 1), rng), rng.uniform(12, 40))
    return to_level(waveform, rng.uniform(-30, -1))


def tilt(waveform: Tensor, power: float) -> Tensor:
    """Brighter (power above 0) or darker: amplitude times frequency to a power, 1 kHz left as it is."""
    spectrum = torch.fft.rfft(waveform)
    frequency = torch.linspace(0, SAMPLE_RATE / 2000, len(spectrum)).clamp_min(0.05)
    return torch.fft.irfft(spectrum * frequency**power, len(waveform))


def write_views(folder: Path, examples: Sequence[Example], seed: int) -> Iterator[Example]:
    """A view of every sound and piece of music, made once; yields their examples."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.json"
    lengths: dict[str, float] = json.loads(manifest.read_text()) if manifest.exists() else {}
    for example in examples:
        if example.kind == "speech":
            continue
        path = folder / f"{example.name.replace('/', '-')}.flac"
        if path.name not in lengths:
            try:
                heard = example.waveform()
            except AudioError:
                continue
            waveform = view(heard, np.random.default_rng((seed, len(lengths))))
            soundfile.write(path, waveform.numpy(), SAMPLE_RATE, format="FLAC")
            lengths[path.name] = len(waveform) / SAMPLE_RATE
        yield replace(example, path=path, seconds=lengths[path.name], span=None)
    manifest.write_text(json.dumps(lengths))
