"""musicnn, the music encoder: a musically motivated CNN trained on MagnaTagATune (J. Pons, ISC).

Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", 2019.
"""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

from usam.audio.samples import SAMPLE_RATE
from usam.encoders.base import Role, load_strictly, pad_to_frames, placement, read_weights

_BANDS, _FFT, _HOP = 96, 512, 256
_POOL = 5  # 62.5 Hz frames averaged into one
_PATCH = 187  # log-mel frames (3 s) the classifier was trained on
_TIMBRAL, _TEMPORAL, _MIDDLE, _HIDDEN = 204, 51, 64, 200  # channels

TAGS = (
    "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano",
    "ambient", "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male", "singing",
    "vocals", "no vocals", "harpsichord", "loud", "quiet", "flute", "woman", "male vocal", "no vocal",
    "pop", "soft", "sitar", "solo", "man", "classic", "choir", "voice", "new age", "dance",
    "male voice", "female vocal", "beats", "harp", "cello", "no voice", "weird", "country", "metal",
    "female voice", "choral",
)  # fmt: skip


@cache
def _filters(device: torch.device) -> Tensor:
    """[bins, bands], Slaney mel scale and norm."""
    return melscale_fbanks(
        _FFT // 2 + 1, 0.0, SAMPLE_RATE / 2, _BANDS, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
    ).to(device)


def log_mel(waveform: Tensor) -> Tensor:
    """[samples] -> [1 + samples // 256, 96]: log10(10000 mel + 1) of power, a 32 ms window each 16 ms."""
    window = torch.hann_window(_FFT, device=waveform.device)
    spectrum = torch.stft(waveform, _FFT, _HOP, window=window, center=True, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    return torch.log10(10_000 * (power.T @ _filters(waveform.device)) + 1)


class _Norm(nn.Module):
    """Batch norm in inference on [channels, ...]: scale * x + shift."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        shape = (-1,) + (1,) * (x.dim() - 1)
        return torch.addcmul(self.shift.view(shape), x, self.scale.view(shape))


class _PeakNorm(_Norm):
    """max over frequency of norm(relu(conv)), given max over frequency of the stored convolution.

    Taking the maximum first leaves 30 to 96 times fewer values to normalize. A negative scale turns the
    maximum into a minimum, so the filters of such channels are stored negated:
    max s relu(c) = s relu(-max(-c)) for s < 0.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.relu(x * self.scale.sign().unsqueeze(1)))


class _Timbral(nn.Module):
    """Filters 7 frames long and `bands` wide, slid along frequency: [96, time] -> [204, time]."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.convolution = nn.Conv1d(bands, _TIMBRAL, 7, padding=3)
        self.norm = _PeakNorm(_TIMBRAL)

    def forward(self, x: Tensor) -> Tensor:
        places = x.unfold(0, self.bands, 1).mT  # [96 - bands + 1, bands, time]
        return self.norm(self.convolution(places).amax(dim=0))


class _Temporal(nn.Module):
    """Filters `frames` long and one band wide, TensorFlow's "same" padding: [96, time] -> [51, time]."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.frames = frames
        self.filters = nn.Linear(frames, _TEMPORAL)
        self.norm = _PeakNorm(_TEMPORAL)

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (self.frames // 2 - 1, self.frames // 2))
        spans = padded.unfold(1, self.frames, 1)  # [96, time, frames]
        return self.norm(self.filters(spans).amax(dim=0).T)


class _Middle(nn.Module):
    """Convolution, relu, batch norm: [inputs, time] -> [64, time]."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(inputs, _MIDDLE, 7, padding=3)
        self.norm = _Norm(_MIDDLE)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(F.relu(self.convolution(x)))


class MusiCNN(nn.Module):
    """Frames of 80 ms, 753 wide (timbral, temporal, mid-level features), and a classifier over 50 `tags`."""

    name = "musicnn"
    role: Role = "music"
    dim = 2 * _TIMBRAL + 3 * _TEMPORAL + 3 * _MIDDLE
    frame_rate = SAMPLE_RATE / _HOP / _POOL
    sample_rate = SAMPLE_RATE
    tags = TAGS

    def __init__(self) -> None:
        super().__init__()
        front = 2 * _TIMBRAL + 3 * _TEMPORAL
        self.normalize = _Norm(1)
        self.timbral = nn.ModuleList(_Timbral(bands) for bands in (38, 67))
        self.temporal = nn.ModuleList(_Temporal(frames) for frames in (128, 64, 32))
        self.middle = nn.ModuleList(_Middle(inputs) for inputs in (front, _MIDDLE, _MIDDLE))
        self.pooled_norm = _Norm(2 * self.dim)
        self.hidden = nn.Linear(2 * self.dim, _HIDDEN)
        self.hidden_norm = _Norm(_HIDDEN)
        self.classifier = nn.Linear(_HIDDEN, len(TAGS))

    @classmethod
    def load(cls, directory: Path) -> "MusiCNN":
        """Raises WeightsError when the directory's weights are unreadable or do not fit."""
        model = cls()
        load_strictly(model, read_weights(directory))
        return model

    def features(self, spectrogram: Tensor) -> Tensor:
        """Log-mel [time, 96] -> [753, time] at 62.5 Hz."""
        x = self.normalize(spectrogram.T.unsqueeze(0))[0]
        front = torch.cat([block(x) for block in (*self.timbral, *self.temporal)])
        first = self.middle[0](front)
        second = self.middle[1](first) + first
        third = self.middle[2](second) + second
        return torch.cat([front, first, second, third])

    @torch.no_grad()
    def frames(self, waveform: Tensor) -> Tensor:
        """[samples] -> [time, 753] at 12.5 Hz: the 62.5 Hz features averaged over 5."""
        device, dtype = placement(self)
        padded, count = pad_to_frames(waveform.to(device).float(), _POOL * _HOP)
        spectrogram = log_mel(padded)[: count * _POOL].to(dtype)
        features = self.features(spectrogram).float()
        return features.view(self.dim, count, _POOL).mean(dim=2).T.contiguous()

    @torch.no_grad()
    def scores(self, waveform: Tensor) -> Tensor:
        """[samples] -> [patches, 50] independent probabilities of the tags for each 3 s patch.

        As in the original, patches do not overlap and an unfilled last one is left out; a shorter clip is
        repeated to fill one.
        """
        device, dtype = placement(self)
        shortest = (_PATCH - 1) * _HOP
        if waveform.shape[-1] < shortest:
            waveform = waveform.repeat(-(-shortest // waveform.shape[-1]))
        spectrogram = log_mel(waveform.to(device).float())
        count = spectrogram.shape[0] // _PATCH
        patches = spectrogram[: count * _PATCH].view(count, _PATCH, _BANDS).to(dtype)
        return torch.stack([self._tag(self.features(patch)) for patch in patches])

    def _tag(self, features: Tensor) -> Tensor:
        """[753, time] -> [50]: maximum and mean over time, interleaved, then two dense layers."""
        pooled = torch.stack([features.amax(dim=1), features.mean(dim=1)], dim=1).flatten()
        hidden = self.hidden_norm(F.relu(self.hidden(self.pooled_norm(pooled))))
        return torch.sigmoid(self.classifier(hidden).float())

    def top(self, waveform: Tensor, k: int = 3) -> list[tuple[str, float]]:
        """The k tags with the highest score averaged over the clip."""
        scores, indices = self.scores(waveform).mean(dim=0).topk(k)
        return [(TAGS[index], score) for index, score in zip(indices.tolist(), scores.tolist(), strict=True)]
