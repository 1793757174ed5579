"""Log-mel spectrograms for pictures."""

import math

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks

from usam.audio.samples import SAMPLE_RATE

FLOOR_DB = -80.0
"""Silence in pictures."""

# 100 frames a second, each through a 64 ms window.
_HOP, _WINDOW = SAMPLE_RATE // 100, 1024
_RANGE_DB = 70.0


def log_mel(waveform: Tensor, mels: int = 80) -> Tensor:
    """Log-mel power for pictures, 100 frames a second.

    waveform: [samples] at 16 kHz. Returns float32 [mels, frames], frames = ceil(samples / 160), in dB of a
    full-scale sine, from -80 up. Frame i is centred on (i + 0.5) * 10 ms: it may be drawn as a cell of 10 ms.
    """
    frames = math.ceil(len(waveform) / _HOP)
    margin = (_WINDOW - _HOP) // 2
    padded = torch.nn.functional.pad(waveform.float(), (margin, margin + frames * _HOP - len(waveform)))
    window = torch.hann_window(_WINDOW)
    spectrum = torch.stft(padded, _WINDOW, _HOP, window=window, center=False, return_complex=True)
    power = (spectrum.abs() / (window.sum() / 2)).square()
    bank = melscale_fbanks(power.shape[0], 0.0, SAMPLE_RATE / 2, mels, SAMPLE_RATE)
    return (10 * torch.log10(bank.T @ power + 1e-12)).clamp_min(FLOOR_DB)


def level_range(mel: Tensor) -> tuple[float, float]:
    """Levels of `log_mel` in dB that a picture shows as silence and as loudest. Silence stays silent."""
    loudest = float(mel.max())
    return max(loudest - _RANGE_DB, FLOOR_DB), max(loudest, FLOOR_DB + 20)


def mel_centres(mels: int = 80) -> np.ndarray:
    """Centre frequency in Hz of each band of `log_mel`: float64 [mels], rising (HTK mel scale)."""
    top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    return 700 * (10 ** (np.linspace(0, top, mels + 2)[1:-1] / 2595) - 1)
