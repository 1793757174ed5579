"""What rooms, telephones and bystanders do to a voice; waveforms are float32 [samples] at 16 kHz."""

import numpy as np
import torch
from torch import Tensor
from torchaudio import functional as F

from usam.audio.samples import SAMPLE_RATE

CLEAN_SHARE = 0.3


def degrade(voice: Tensor, rng: np.random.Generator, background: Tensor | None = None) -> Tensor:
    """A draw of room, noise and telephone (or, three times in ten, none), then pauses around it and a level.

    `background` [any length] is a recorded sound that may serve as the noise.
    """
    clean = rng.random() < CLEAN_SHARE
    voice = pad(voice, *rng.uniform(0, 0.6, 2) * SAMPLE_RATE)
    if not clean:
        if rng.random() < 0.45:
            voice = reverberate(voice, rng)
        if rng.random() < 0.65:
            if background is not None and rng.random() < 0.5:
                noise = loop(background, len(voice), rng)
            else:
                noise = coloured_noise(len(voice), float(rng.choice([0, 0.5, 1])), rng)
            voice = mix(voice, noise, rng.uniform(8, 35))
        if rng.random() < 0.25:
            voice = telephone(voice, companded=rng.random() < 0.5)
    return to_level(voice, rng.uniform(-30, -3))


def change_speed(voice: Tensor, rate: int, factor: float) -> Tensor:
    """Resample from `rate` to 16 kHz and play `factor` times as fast; pitch and formants move along."""
    played = round(rate * factor / 100) * 100  # round rates keep the resampling filter short
    return F.resample(voice, played, SAMPLE_RATE)


def pad(voice: Tensor, before: float, after: float) -> Tensor:
    return torch.nn.functional.pad(voice, (int(before), int(after)))


def reverberate(voice: Tensor, rng: np.random.Generator) -> Tensor:
    """Convolve with a direct path and exponentially decaying noise: reverberation time 0.1-0.7 s."""
    decay = rng.uniform(0.1, 0.7)  # s until -60 dB
    time = torch.arange(int(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = _normal(len(time), rng) * 10 ** (-3 * time / decay)
    tail[: int(rng.uniform(0.002, 0.02) * SAMPLE_RATE)] = 0
    ratio = rng.uniform(0, 15)  # dB, direct over reverberant energy
    tail *= 10 ** (-ratio / 20) / tail.norm().clamp_min(1e-9)
    tail[0] = 1
    return F.fftconvolve(voice, tail)[: len(voice)]


def coloured_noise(samples: int, slope: float, rng: np.random.Generator) -> Tensor:
    """Noise whose amplitude falls as frequency ** -slope: 0 white, 0.5 pink, 1 brown."""
    spectrum = torch.fft.rfft(_normal(samples, rng))
    frequency = torch.arange(1, len(spectrum) + 1, dtype=torch.float32)
    return torch.fft.irfft(spectrum * frequency**-slope, samples)


def loop(sound: Tensor, samples: int, rng: np.random.Generator) -> Tensor:
    """`samples` of the sound, from a random place on, repeated as needed."""
    start = int(rng.integers(len(sound)))
    return torch.cat([sound[start:], sound.repeat(samples // len(sound) + 1)])[:samples]


def mix(voice: Tensor, noise: Tensor, ratio: float) -> Tensor:
    """Add the noise at `ratio` dB below the voice."""
    gain = voice.norm() / noise.norm().clamp_min(1e-9) * 10 ** (-ratio / 20)
    return voice + gain * noise


def telephone(voice: Tensor, companded: bool) -> Tensor:
    """Keep 300-3400 Hz; `companded` adds the noise of 8-bit mu-law."""
    voice = _telephone_band(voice)
    if companded:
        peak = voice.abs().max().clamp_min(1e-9)
        voice = F.mu_law_decoding(F.mu_law_encoding(voice / peak, 256), 256) * peak
        voice = _telephone_band(voice)
    return voice


def to_level(voice: Tensor, peak: float) -> Tensor:
    """Scale to a peak of `peak` dBFS."""
    return voice * (10 ** (peak / 20) / voice.abs().max().clamp_min(1e-9))


def _telephone_band(voice: Tensor) -> Tensor:
    spectrum = torch.fft.rfft(voice)
    frequency = torch.linspace(0, SAMPLE_RATE / 2, len(spectrum))
    gain = torch.sigmoid((frequency - 300) / 30) * torch.sigmoid((3400 - frequency) / 60)
    return torch.fft.irfft(spectrum * gain, len(voice))


def _normal(samples: int, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(samples, dtype=np.float32))
