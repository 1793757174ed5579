"""Stereo in which a voice has opposite phase, so that the mean of both channels loses it."""

import numpy as np

WINDOW = 0.5  # seconds that are decided together
BAND = (300, 3400)  # Hz: hum below and hiss above say nothing about the voice
CANCELLED = 0.1  # of the difference's power in the band: a mean that has less has lost the voice
AUDIBLE = 1e-7  # power in the band, of full scale, below which there is no voice to lose
_FADE = 0.01  # seconds


def keep_voice(mean: np.ndarray, side: np.ndarray, rate: int) -> np.ndarray:
    """The mean of two channels, or, in windows where it has lost what they share, half their difference.

    mean, side: float32 [samples] at `rate` Hz. Without such a window `mean` itself comes back.
    """
    size = round(WINDOW * rate)
    count = -(-len(mean) // size)
    lost = np.array(
        [_lost(mean[i * size : (i + 1) * size], side[i * size : (i + 1) * size], rate) for i in range(count)],
        bool,
    )
    if not lost.any():
        return mean
    share = np.repeat(lost, size)[: len(mean)].astype(np.float32)
    fade = max(1, round(_FADE * rate))
    before = np.full(fade // 2, share[0])
    after = np.full(fade - 1 - fade // 2, share[-1])
    sums = np.cumsum(np.concatenate([[0.0], before, share, after]), dtype=np.float64)
    share = ((sums[fade:] - sums[:-fade]) / fade).astype(np.float32)
    return mean + share * (side - mean)


def _lost(mean: np.ndarray, side: np.ndarray, rate: int) -> bool:
    of_mean, of_side = _band_power(mean, rate), _band_power(side, rate)
    return of_side > AUDIBLE and of_mean < CANCELLED * of_side


def _band_power(wave: np.ndarray, rate: int) -> float:
    """Mean power [1] of what lies in the band; a window keeps hum from leaking into it."""
    window = np.hanning(len(wave))
    spectrum = np.abs(np.fft.rfft(wave * window)) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / rate)
    inside = spectrum[(hertz >= BAND[0]) & (hertz <= BAND[1])].sum()
    return float(2 * inside / max(len(wave) * (window**2).sum(), 1e-9))
