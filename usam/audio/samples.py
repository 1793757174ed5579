"""Samples as arrays: mono from any number of channels, floats from any type; needs NumPy alone."""

from dataclasses import dataclass

import numpy as np

from usam.audio.phase import keep_voice
from usam.errors import AudioError

SAMPLE_RATE = 16_000
"""Hz. Every encoder gets the clip at this rate."""
MAX_CHANNELS = 64
MIN_RATE, MAX_RATE = 1_000, 384_000
"""Hz."""

# The mean of c unrelated channels keeps 1/c of one channel's energy, 1/64 at least. Less is cancellation.
_CANCELLED = 0.01
_FULL_SCALE = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31}


@dataclass(frozen=True)
class Span:
    """What to decode, in seconds of the clip."""

    start: float
    end: float

    def samples(self, rate: int) -> tuple[int, int]:
        """First sample and the one after the last, at `rate` Hz."""
        return round(self.start * rate), round(self.end * rate)


@dataclass(frozen=True)
class Mono:
    """A decoded span.

    samples: float32 [samples] at `rate` Hz, beginning with sample `first` of the clip.
    complete: the span is there to its end; otherwise the clip ended first.
    duration: seconds of the whole clip. tracks: of sound in the file, of which this is one.
    """

    samples: np.ndarray
    rate: int
    first: int
    complete: bool
    duration: float
    tracks: int = 1

    @property
    def last(self) -> int:
        """The clip's sample after the last one here."""
        return self.first + len(self.samples)


class MixDown:
    """Running mean over channels, or one `channel`, with the energies that show whether the mean cancels."""

    def __init__(self, channel: int | None = None) -> None:
        self._channel = channel
        self._blocks = [np.zeros(0, np.float32)]
        self._sides = [np.zeros(0, np.float32)]
        self._energies = np.zeros(MAX_CHANNELS)
        self._mean_energy = 0.0

    def add(self, block: np.ndarray) -> None:
        """block: [channels, samples], uint8, int16, int32 or float."""
        with np.errstate(over="ignore", invalid="ignore"):  # refused later, as samples that are not finite
            wave = _to_float(block)
            mean = wave.mean(axis=0)
            self._energies[: len(wave)] += np.square(wave, dtype=np.float64).sum(axis=1)
            self._mean_energy += len(wave) * float(np.square(mean, dtype=np.float64).sum())
            side = (wave[0] - wave[1]) / 2 if len(wave) == 2 else None
        self._sides.append(np.zeros_like(mean) if side is None else side)
        self._blocks.append(mean if self._channel is None else wave[min(self._channel, len(wave) - 1)])

    def samples(self, rate: int) -> np.ndarray:
        """float32 [samples] of everything added, at `rate` Hz."""
        wave, side = np.concatenate(self._blocks), np.concatenate(self._sides)
        heard_whole = self._channel is not None or not side.any() or not np.isfinite(side).all()
        return wave if heard_whole else keep_voice(wave, side, rate)

    def louder_channel(self) -> int | None:
        """The channel to hear instead of the mean: the loudest, if the mean cancels."""
        cancels = self._channel is None and self._mean_energy < _CANCELLED * self._energies.sum()
        return int(self._energies.argmax()) if cancels else None


def decode_array(rate: int, samples: np.ndarray, span: Span, label: str) -> Mono:
    """The span of `samples`, [samples] or [samples, channels] of uint8, int16, int32 or float.

    Raises AudioError: a rate, a shape or a type that is not supported.
    """
    if samples.ndim not in (1, 2):
        raise AudioError(f"{label} must come as [samples] or [samples, channels].")
    planar = samples[None] if samples.ndim == 1 else samples.T
    check_format(label, rate, len(planar))
    first, last = span.samples(rate)
    mix = MixDown()
    mix.add(planar[:, first:last])
    if (channel := mix.louder_channel()) is not None:
        mix = MixDown(channel)
        mix.add(planar[:, first:last])
    length = planar.shape[1]
    return Mono(mix.samples(rate), rate, first, complete=last <= length, duration=length / rate)


def pcm16(waveform: np.ndarray) -> np.ndarray:
    """Float samples of any shape, full scale at 1, as 16-bit little-endian PCM: what is hashed and kept."""
    return np.clip(np.rint(waveform * 2.0**15), -(2**15), 2**15 - 1).astype("<i2")


def check_format(label: str, rate: int, channels: int) -> None:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(f"{label} has a sample rate of {rate} Hz, not one from {MIN_RATE} to {MAX_RATE} Hz.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"{label} has {channels} channels, not 1 to {MAX_CHANNELS}.")


def _to_float(samples: np.ndarray) -> np.ndarray:
    """Integers as float32 within [-1, 1]; floats as they are, in float32."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    kind = samples.dtype.str[1:]
    if kind not in _FULL_SCALE:
        raise AudioError(
            f"Samples of type {samples.dtype} are not supported: use int16, int32, uint8 or float."
        )
    scale = _FULL_SCALE[kind]
    return ((samples - (scale if kind == "u1" else 0.0)) / scale).astype(np.float32)
