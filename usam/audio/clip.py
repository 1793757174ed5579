"""From any clip to the samples the model hears."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from usam.audio.ffmpeg import decode_container
from usam.audio.level import leveled
from usam.audio.resampling import resample
from usam.audio.samples import Span, decode_array, pcm16
from usam.errors import AudioError

MIN_SECONDS = 0.1
"""The shortest span that is heard."""
AudioSource = str | Path | bytes | tuple[int, np.ndarray]

# An end past the clip's by no more than this many seconds is a rounding, not a mistake.
_END_TOLERANCE = 0.1


@dataclass(frozen=True)
class Clip:
    """The part of a clip that the model hears.

    waveform: float32 [samples], mono, 16 kHz, within [-1, 1].
    start, end: of the heard span, seconds of the original clip.
    duration: of the whole original clip, seconds.
    sha256: of the waveform as 16-bit little-endian PCM.
    gain_db: by how much the clip was raised to be heard, or turned down to full scale.
    tracks: of sound in the file, of which one is heard.
    """

    waveform: Tensor
    start: float
    end: float
    duration: float
    sha256: str
    gain_db: float = 0.0
    tracks: int = 1


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
    are averaged, unless that cancels them (opposite phase): then the loudest is heard, or, of stereo in which
    only a voice in a part of it cancels, half the difference there. A clip beyond full
    scale is turned down to it, a very quiet one raised (`usam.audio.level`). Of a damaged file, whatever
    decodes is heard.

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
        # By its name alone: messages must not reveal the folder.
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

    waveform, gain_db = leveled(resample(mono.samples, mono.rate))
    return Clip(
        waveform=torch.from_numpy(waveform),
        start=mono.first / mono.rate,
        end=mono.last / mono.rate,
        duration=max(length, mono.last / mono.rate),
        sha256=hashlib.sha256(pcm16(waveform).tobytes()).hexdigest(),
        gain_db=gain_db,
        tracks=mono.tracks,
    )


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
