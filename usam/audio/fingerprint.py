"""A short fingerprint of how a clip sounds, the same for its copies in another format, rate or loudness.

After Haitsma and Kalker, "A highly robust audio fingerprinting system" (ISMIR 2002): a bit says whether a
band of frequencies is, at a time, above what is usual for that time and that band. Unlike theirs it has one
length for every clip, so that two are compared by counting bits. It finds copies of a whole clip, not of a
part; copies of noise, and of two seconds that begin later by an encoder's delay, may differ too much.
"""

import numpy as np

from usam.audio.samples import SAMPLE_RATE

TIMES = BANDS = 16
BITS = TIMES * BANDS

_WINDOW, _HOP = 2048, 512
# Hz. A copy at 8 kHz has no more; below, filters differ.
_LOW, _HIGH = 200.0, 3600.0
# dB below the loudest band at which all is silence: codecs leave what they like there.
_FLOOR = 50.0
# dB: what is left below is rounding, whose signs say nothing.
_LEAST_SPREAD = 0.3


def fingerprint(waveform: np.ndarray) -> str:
    """64 hex digits for float [samples] at 16 kHz; empty for a clip that is the same throughout, as silence
    is, or shorter than a second.

    Two clips of about the same length that differ in a few of the 256 bits are copies of one another
    (`storage.export.copies`).
    """
    if len(waveform) < SAMPLE_RATE:
        return ""
    levels = _levels(waveform)
    spread = levels - levels.mean(0) - levels.mean(1, keepdims=True) + levels.mean()
    if spread.std() < _LEAST_SPREAD:
        return ""
    return np.packbits(spread > 0).tobytes().hex()


def _levels(waveform: np.ndarray) -> np.ndarray:
    """float [times, bands]: dB of equal parts of the clip in bands of equal width in octaves."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform.astype(np.float32), _WINDOW)[::_HOP]
    edges = np.rint(np.geomspace(_LOW, _HIGH, BANDS + 1) * _WINDOW / SAMPLE_RATE).astype(int)
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW).astype(np.float32))) ** 2
    bands = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    # Each time fades into its neighbours, so that copies that begin a little later agree.
    centres = (np.arange(TIMES) + 0.5) * len(bands) / TIMES
    weights = np.maximum(0, 1 - np.abs(np.arange(len(bands)) - centres[:, None] + 0.5) * TIMES / len(bands))
    levels = 10 * np.log10(weights @ bands + 1e-12)
    return np.maximum(levels, levels.max() - _FLOOR)
