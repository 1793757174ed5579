"""The level of a clip: what is far too quiet is raised, and a few wild samples do not decide.

Encoders hear a clip by its level, so a voice 50 dB down is gibberish to them, and one that a single wild
sample has turned down with it is too.
"""

import math

import numpy as np

from usam.audio.samples import SAMPLE_RATE

BLOCK = SAMPLE_RATE // 20  # samples, 50 ms
WILD_SHARE = 0.02  # of a block's samples, the loudest, that may be wild and are not measured
QUIET = 0.01  # level (-40 dBFS) below which a clip is raised
FAINTEST = 2e-5  # level below which there is rounding noise alone
STRUCTURE = 2.0  # the loudest blocks over the quietest fifth: less is hiss or hum, which nobody misses
TARGET = 0.06  # level of a clip that was raised, that of clear speech
WILD = 30.0  # how far over the level a sample is no sound of the clip


def leveled(waveform: np.ndarray) -> tuple[np.ndarray, float]:
    """A waveform (float32 [samples], finite) within [-1, 1], and by how many dB it was raised or lowered.

    A clip beyond full scale is turned down to it. A quiet one is raised if something in it stands out from
    the rest, as a voice does from hiss. Samples far above all others are cut off.
    """
    level = _loudest(_levels(_blocks(waveform)))
    if FAINTEST < level < QUIET and _stands_out(waveform):
        gain = TARGET / level
        return np.clip(waveform * np.float32(gain), -1.0, 1.0), 20.0 * math.log10(gain)
    peak = float(np.abs(waveform).max(initial=0.0))
    if level > 0.0:
        peak = min(peak, WILD * level)
    peak = max(1.0, peak)
    return np.clip(waveform / np.float32(peak), -1.0, 1.0), 20.0 * math.log10(1.0 / peak)


def _blocks(waveform: np.ndarray) -> np.ndarray:
    """[blocks, BLOCK], the last one padded with silence."""
    padded = np.pad(waveform.astype(np.float64), (0, -len(waveform) % BLOCK))
    return padded.reshape(-1, BLOCK)


def _levels(blocks: np.ndarray) -> np.ndarray:
    """Root mean square of each block without its loudest samples."""
    kept = np.sort(np.abs(blocks), axis=1)[:, : round(BLOCK * (1 - WILD_SHARE))]
    return np.sqrt(np.square(kept).mean(axis=1))


def _loudest(levels: np.ndarray) -> float:
    """The highest level that lasts for two blocks: what is wild does not."""
    lasting = np.minimum(levels[1:], levels[:-1]) if len(levels) > 3 else levels
    return float(lasting.max(initial=0.0))


def _stands_out(waveform: np.ndarray) -> bool:
    """Whether the loudest blocks are well above the quietest; of differences, so that slow drift is none."""
    levels = _levels(_blocks(np.diff(waveform, prepend=waveform[:1])))
    return _loudest(levels) > STRUCTURE * float(np.quantile(levels, 0.2))
