"""CED, the audio encoder of the paper (Xiaomi, Apache-2.0): a transformer over patches of a mel spectrogram.

Loads the published checkpoint as it is (mispeech/ced-base and its smaller sisters): config.json, and
model.safetensors with the names of `CedForAudioClassification`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

from usam.audio.samples import SAMPLE_RATE
from usam.encoders.base import Role, load_strictly, pad_to_frames, placement, read_weights, readable
from usam.errors import WeightsError

_FFT, _HOP = 512, 160
_DYNAMIC_RANGE = 120.0  # dB below the loudest that are kept


@dataclass(frozen=True)
class CedSizes:
    """Of a published config.json; the defaults are those of CED-base."""

    n_mels: int = 64
    patch_size: int = 16
    embed_dim: int = 768
    depth: int = 12
    num_heads: int = 12
    target_length: int = 1012

    @classmethod
    def read(cls, config: dict[str, Any]) -> CedSizes:
        sizes = {name: config.get(name, getattr(cls, name)) for name in cls.__dataclass_fields__}
        stride = config.get("patch_stride", sizes["patch_size"])
        if not all(isinstance(size, int) for size in sizes.values()) or stride != sizes["patch_size"]:
            raise WeightsError(
                "This CED has patches that overlap or are not square, which is not known here."
            )
        return cls(**sizes)


class _Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1)
        )
        return self.proj(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class _Feedforward(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class _Block(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = _Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = _Feedforward(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class _PatchEmbed(nn.Module):
    def __init__(self, sizes: CedSizes) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, sizes.embed_dim, sizes.patch_size, sizes.patch_size)


class _Transformer(nn.Module):
    def __init__(self, sizes: CedSizes) -> None:
        super().__init__()
        dim, patch = sizes.embed_dim, sizes.patch_size
        self.longest = sizes.target_length // patch  # patches in a row that have a position
        self.init_bn = nn.BatchNorm2d(sizes.n_mels)
        self.patch_embed = _PatchEmbed(sizes)
        self.time_pos_embed = nn.Parameter(torch.zeros(1, dim, 1, self.longest))
        self.freq_pos_embed = nn.Parameter(torch.zeros(1, dim, sizes.n_mels // patch, 1))
        self.blocks = nn.Sequential(*(_Block(dim, sizes.num_heads) for _ in range(sizes.depth)))
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """[bands, frames] -> [patches in a row, D], the mean over the frequencies."""
        x = self.init_bn(spectrogram[None, :, None, :]).transpose(1, 2)  # [1, 1, bands, frames]
        x = self.patch_embed.proj(x)
        spans = [self._span(span) for span in x.split(self.longest, dim=-1)]
        return torch.cat(spans)

    def _span(self, x: Tensor) -> Tensor:
        """[1, D, bands, time] -> [time, D]"""
        x = x + self.time_pos_embed[..., : x.shape[-1]] + self.freq_pos_embed
        rows, columns = x.shape[2:]
        x = self.norm(self.blocks(x.flatten(2).transpose(1, 2)))
        return x[0].unflatten(0, (rows, columns)).mean(0)


class CED(nn.Module):
    """Frames of 0.16 s, and the head over AudioSet's 527 classes (`classes`)."""

    name = "ced-base"
    role: Role = "audio"
    sample_rate = SAMPLE_RATE

    def __init__(self, sizes: CedSizes, classes: tuple[str, ...]) -> None:
        super().__init__()
        self.dim = sizes.embed_dim
        self.samples_per_frame = sizes.patch_size * _HOP
        self.frame_rate = SAMPLE_RATE / self.samples_per_frame
        self.n_mels = sizes.n_mels
        self.classes = classes
        self.encoder = _Transformer(sizes)
        self.outputlayer = nn.Sequential(nn.LayerNorm(self.dim), nn.Linear(self.dim, len(classes)))

    @classmethod
    def load(cls, directory: Path) -> CED:
        """Raises WeightsError when the directory's weights are unreadable or do not fit."""
        with readable(directory):
            config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
            labels = {int(index): name for index, name in config["id2label"].items()}
        model = cls(CedSizes.read(config), tuple(labels[index] for index in sorted(labels)))
        load_strictly(model, read_weights(directory))
        return model

    @torch.no_grad()
    def frames(self, waveform: Tensor) -> Tensor:
        """[samples] -> [time, D] at 6.25 Hz."""
        device, dtype = placement(self)
        padded, count = pad_to_frames(waveform.to(device).float(), self.samples_per_frame)
        spectrogram = log_mel(padded, self.n_mels)[:, : count * self.samples_per_frame // _HOP]
        return self.encoder(spectrogram.to(dtype)).float()

    @torch.no_grad()
    def scores(self, frames: Tensor) -> Tensor:
        """[time, D] -> [time, classes] independent probabilities.

        The published model pools over the clip before its head; here every frame is asked.
        """
        device, dtype = placement(self)
        return torch.sigmoid(self.outputlayer(frames.to(device, dtype)).float())


def log_mel(waveform: Tensor, bands: int) -> Tensor:
    """[samples] -> decibels [bands, 1 + samples // 160], 120 dB below the loudest are kept."""
    window = torch.hann_window(_FFT, device=waveform.device)
    power = torch.stft(waveform, _FFT, _HOP, window=window, center=True, return_complex=True).abs().square()
    filters = melscale_fbanks(_FFT // 2 + 1, 0.0, SAMPLE_RATE / 2, bands, SAMPLE_RATE).to(waveform.device)
    decibels = 10 * (filters.T @ power).clamp_min(1e-10).log10()
    return decibels.clamp_min(float(decibels.max()) - _DYNAMIC_RANGE)
