"""The heard audio in the forms the viewer draws and plays, each a few bytes a frame."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import numpy as np

from usam.audio.samples import SAMPLE_RATE, pcm16

if TYPE_CHECKING:
    from torch import Tensor

    from ui.studio.session import SessionAnswer
    from usam.schema.trace import ClipSpan

OPUS_BITS = 48_000
"""A second; transparent to the ear at 16 kHz. It is only played: nothing is computed from it."""
PEAK_HOP = SAMPLE_RATE // 100


def waveform_of(entry: SessionAnswer) -> Tensor:
    """[samples] at 16 kHz of what was heard; silence of its length when its audio was not kept."""
    clip = entry.clip
    return clip.waveform if clip else silence(entry.answer.heard)


def silence(heard: ClipSpan) -> Tensor:
    """[samples] at 16 kHz of its length."""
    import torch

    return torch.zeros(round((heard.end - heard.start) * SAMPLE_RATE))


def opus(waveform: Tensor) -> bytes:
    """[samples] at 16 kHz, mono, as an Ogg Opus file; one shorter than 0.2 s may decode to more samples."""
    frame = av.AudioFrame.from_ndarray(pcm16(waveform.numpy())[None], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream(
            "libopus", rate=SAMPLE_RATE, layout="mono", options={"b": str(OPUS_BITS)}
        )
        for piece in (frame, None):  # None: what the encoder still holds
            container.mux(stream.encode(piece))
    return file.getvalue()


def peaks(waveform: Tensor) -> np.ndarray:
    """[samples] -> int8 [frames, 2]: lowest and highest sample of every 10 ms, 127 for full scale."""
    samples = waveform.numpy()
    frames = np.pad(samples, (0, -len(samples) % PEAK_HOP)).reshape(-1, PEAK_HOP)
    ends = np.stack([frames.min(1), frames.max(1)], axis=1)
    return np.clip(np.rint(ends * 127), -127, 127).astype(np.int8)


def levels(mel: Tensor, low: float, high: float) -> np.ndarray:
    """Log-mel power in dB [bands, frames] -> uint8 of the same shape, 0 at `low` and 255 at `high`."""
    return np.clip(np.rint((mel.numpy() - low) * (255 / (high - low))), 0, 255).astype(np.uint8)
