"""U: the encoders' frames, at their own rates, on one frame rate side by side."""

from collections.abc import Sequence

import torch
from torch import Tensor

from usam.audio.resampling import resample
from usam.audio.samples import SAMPLE_RATE
from usam.config import FRAME_RATE
from usam.encoders.base import Encoder
from usam.errors import WeightsError


def encode(encoder: Encoder, waveform: Tensor) -> Tensor:
    """Waveform [samples] at 16 kHz -> the encoder's frames [T, D], at its own sample rate.

    Raises WeightsError if they are not as wide as the encoder says.
    """
    if encoder.sample_rate != SAMPLE_RATE:
        samples = resample(waveform.cpu().float().numpy(), SAMPLE_RATE, encoder.sample_rate)
        waveform = torch.from_numpy(samples).to(waveform.device)
    frames = encoder.frames(waveform)
    if frames.shape[-1] != encoder.dim:
        raise WeightsError(
            f"The encoder {encoder.name!r} gave frames {frames.shape[-1]} wide instead of {encoder.dim}."
        )
    return frames


def align(
    streams: Sequence[Tensor], rates: Sequence[float], samples: int, sample_rate: int = SAMPLE_RATE
) -> Tensor:
    """Encoder frames [T_i, D_i] at rates in Hz, of one clip of `samples` -> U [T, sum of D_i] at FRAME_RATE.

    A frame of U takes, of each stream, the frame that holds its middle; of a stream with more frames than U,
    the mean over its own time. U is where the first stream is.
    """
    count = frame_count(samples, sample_rate)
    columns = [
        _at_frame_rate(stream.float(), rate, count).to(streams[0].device)
        for stream, rate in zip(streams, rates, strict=True)
    ]
    return torch.cat(columns, dim=-1)


def _at_frame_rate(stream: Tensor, rate: float, count: int) -> Tensor:
    """[T, D] at `rate` Hz -> [count, D] at FRAME_RATE."""
    if rate <= FRAME_RATE:
        middles = (torch.arange(count) + 0.5) / FRAME_RATE
        return stream[(middles * rate).long().clamp_max(len(stream) - 1).to(stream.device)]
    edges = (torch.arange(count + 1, dtype=torch.float64) * rate / FRAME_RATE).clamp_max(len(stream))
    whole, part = edges.long(), (edges - edges.floor()).unsqueeze(-1)
    # What was heard up to an edge, of which a frame may be heard in part; a mean is a difference of two.
    padded = torch.cat([stream, stream[-1:]]).cpu().double()
    before = torch.cat([padded.new_zeros(1, padded.shape[1]), padded.cumsum(0)])
    heard = before[whole] + part * padded[whole]
    lengths = edges.diff().unsqueeze(-1)
    means = heard.diff(dim=0) / lengths.clamp_min(1e-9)
    last = stream[-1:].cpu().double().expand_as(means)
    return torch.where(lengths > 1e-9, means, last).to(stream.device, stream.dtype)


def frame_count(samples: int, sample_rate: int = SAMPLE_RATE) -> int:
    """Frames of U of a clip of `samples`."""
    return max(1, -(-samples * int(FRAME_RATE) // sample_rate))
