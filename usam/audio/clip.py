"""From any clip to the samples the model hears, and a picture of them."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks

from usam.audio.ffmpeg import Span, decode_array, decode_container
from usam.errors import AudioError

SAMPLE_RATE = 16_000
"""Hz. Every encoder hears the clip at this rate."""
MIN_SECONDS = 0.1
"""The shortest span that is heard."""
FLOOR_DB = -80.0
"""Silence in pictures."""

AudioSource = str | Path | bytes | tuple[int, np.ndarray]

# An end past the clip's by no more than this many seconds is a rounding, not a mistake.
_END_TOLERANCE = 0.1
# Pictures: 100 frames a second, each through a 64 ms window.
_HOP, _WINDOW = SAMPLE_RATE // 100, 1024
_RANGE_DB = 70.0


@dataclass(frozen=True)
class Clip:
    """The part of a clip that the model hears.

    waveform: float32 [samples], mono, 16 kHz, within [-1, 1].
    start, end: of the heard span, seconds of the original clip.
    duration: of the whole original clip, seconds.
    sha256: of the waveform as 16-bit little-endian PCM.
    """

    waveform: Tensor
    start: float
    end: float
    duration: float
    sha256: str


def load_clip(
    source: AudioSource,
    start: float | None = None,
    end: float | None = None,
    max_seconds: float = 30.0,
) -> Clip:
    """Decode `source` and return the span the model hears, mono at 16 kHz.

    source: a file's path, a file's bytes, or (sample rate, samples) as gradio hands them over: uint8, int16,
        int32 or float, [samples] or [samples, channels]. Any container FFmpeg reads; of a video, its sound.
    start, end: seconds of the original clip; by default its first `max_seconds`. A longer span is cut to
        `max_seconds` from its start. The result says which span was heard.

    Only the span is decoded, so a clip of hours needs little more time and memory than a short one. Channels
    are averaged, unless that cancels them (opposite phase): then the loudest is heard. A clip beyond full
    scale is turned down to it. Of a damaged file, whatever decodes is heard.

    Raises AudioError: missing, empty, too large or damaged file, no sound track, less than 0.1 s, samples
    that are not finite, or a span outside the clip. Silence is not an error.
    """
    label = "The clip"
    span = _choose(start, end, max_seconds)
    if isinstance(source, tuple):
        mono = decode_array(int(source[0]), np.asarray(source[1]), span, label)
    elif isinstance(source, bytes):
        mono = decode_container(source, span, label)
    else:
        # By its name alone: the folder is nobody's business.
        label = Path(source).name or label
        mono = decode_container(Path(source), span, label)

    length = mono.duration if mono.complete else mono.last / mono.rate
    if not len(mono.samples):
        problem = f"ends before {span.start:g} s" if span.start else "has no sound in it"
        raise AudioError(f"{label} {problem}.")
    if end is not None and not mono.complete and length + _END_TOLERANCE < span.end:
        raise AudioError(f"{label} lasts {length:.4g} s, so the span cannot end at {end:g} s.")
    if len(mono.samples) < round(MIN_SECONDS * mono.rate):
        after = f" after {span.start:g} s" if span.start else ""
        raise AudioError(f"{label} is too short{after}: at least {MIN_SECONDS:g} s are needed.")
    if not np.isfinite(mono.samples).all():
        raise AudioError(f"{label} holds samples that are not finite numbers.")

    waveform = _resample(mono.samples, mono.rate)
    waveform = waveform / np.float32(max(1.0, np.abs(waveform).max()))
    return Clip(
        waveform=torch.from_numpy(waveform),
        start=mono.first / mono.rate,
        end=mono.last / mono.rate,
        duration=max(length, mono.last / mono.rate),
        sha256=hashlib.sha256(pcm16(waveform).tobytes()).hexdigest(),
    )


def pcm16(waveform: np.ndarray) -> np.ndarray:
    """Float samples of any shape, full scale at 1, as 16-bit little-endian PCM: what is hashed and kept."""
    return np.clip(np.rint(waveform * 2.0**15), -(2**15), 2**15 - 1).astype("<i2")


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


def _choose(start: float | None, end: float | None, max_seconds: float) -> Span:
    first = 0.0 if start is None else float(start)
    last = first + max_seconds if end is None else float(end)
    if not (math.isfinite(first) and math.isfinite(last) and first >= 0):
        raise AudioError("The span must lie within the clip, with its start and end in seconds.")
    if last <= first:
        raise AudioError(f"The span must end after its start, which is at {first:g} s.")
    if last - first < MIN_SECONDS - 1e-6:
        raise AudioError(f"The span must last at least {MIN_SECONDS:g} s.")
    return Span(first, min(last, first + max_seconds))


def _resample(samples: np.ndarray, rate: int) -> np.ndarray:
    """[samples] at `rate` to float32 [round(samples * 16000 / rate)] at 16 kHz.

    FFmpeg's resampler takes any pair of rates. torchaudio's tabulates one filter for every phase, gigabytes
    for 44101 and 16000 Hz, and lets more of what lies above 8 kHz fold back.
    """
    if rate == SAMPLE_RATE:
        return samples
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    wave = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    length = round(len(samples) * SAMPLE_RATE / rate)
    return np.pad(wave, (0, max(0, length - len(wave))))[:length]
