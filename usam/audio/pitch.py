"""The pitch of a voice."""

from __future__ import annotations

import torch
from torch import Tensor

from usam.audio.samples import SAMPLE_RATE

FRAME, HOP, TRANSFORM = 1024, 320, 4096  # samples
LOWEST, HIGHEST = 65, 420  # Hz
AUDIBLE = 0.05  # of the loudest frame's power
VOICED = 0.6  # normalised autocorrelation of a frame that has a pitch
FEWEST = 3  # such frames
AS_HIGH = 0.9  # of the highest peak: the first one that reaches it is the period, later ones its multiples


def pitch_quartiles(waveform: Tensor) -> Tensor:
    """Median, lower and upper quartile in Hz of a voice [samples] at 16 kHz; zeros where there is no voice.

    Each frame's pitch is the first high peak of its autocorrelation, divided by the window's (Boersma 1993).
    """
    nothing = torch.zeros(3)
    if len(waveform) < FRAME:
        return nothing
    window = torch.hann_window(FRAME)
    frames = waveform.float().cpu().unfold(0, FRAME, HOP)
    power = frames.square().mean(-1)
    frames = frames[power > AUDIBLE * power.max()]
    if len(frames) < FEWEST:
        return nothing
    frames = (frames - frames.mean(-1, keepdim=True)) * window
    longest = SAMPLE_RATE // LOWEST
    own, of_window = (autocorrelation(part)[..., : longest + 1] for part in (frames, window))
    normalised = own / of_window / (own[:, :1] / of_window[0]).clamp_min(1e-9)
    shortest = SAMPLE_RATE // HIGHEST
    inner = normalised[:, shortest:longest]
    rises = inner >= normalised[:, shortest - 1 : longest - 1]
    peaks = inner.where(rises & (inner >= normalised[:, shortest + 1 : longest + 1]), torch.zeros(()))
    highest = peaks.amax(-1)
    lag = (peaks >= AS_HIGH * highest[:, None]).int().argmax(-1) + shortest
    pitch = (SAMPLE_RATE / lag.float())[highest > VOICED]
    if len(pitch) < FEWEST:
        return nothing
    return pitch.quantile(torch.tensor([0.5, 0.25, 0.75]))


def autocorrelation(frames: Tensor) -> Tensor:
    """[..., samples] -> [..., TRANSFORM]."""
    return torch.fft.irfft(torch.fft.rfft(frames, TRANSFORM).abs().square())
