"""YAMNet, the audio encoder: MobileNet-v1 trained on AudioSet (Google, Apache-2.0).

The network is run over the whole clip instead of 0.96 s patches: it is fully convolutional, and the last
feature map keeps time at one column per 32 log-mel frames.
"""

import json
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from usam.audio.samples import SAMPLE_RATE
from usam.encoders.base import Role, load_strictly, pad_to_frames, placement, read_weights, readable

_BANDS, _LOW_HZ, _HIGH_HZ, _LOG_OFFSET = 64, 125.0, 7500.0, 1e-3
_WINDOW, _HOP, _FFT = 400, 160, 512
_STRIDE = 32  # log-mel frames in one column of the last feature map
_STEM = 32
_BLOCKS = (  # (channels, stride) of each depthwise-separable block
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1),
    (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def _mel(hertz: Tensor | float) -> Tensor:
    return 1127.0 * torch.log1p(torch.as_tensor(hertz, dtype=torch.float64) / 700.0)


@cache
def _filters(device: torch.device) -> Tensor:
    """[bins, bands] triangles drawn on the mel axis, as TensorFlow has them (torchaudio: in Hz)."""
    bins = _mel(torch.linspace(0, 8000, _FFT // 2 + 1, dtype=torch.float64)).unsqueeze(1)
    edges = torch.linspace(float(_mel(_LOW_HZ)), float(_mel(_HIGH_HZ)), _BANDS + 2, dtype=torch.float64)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    filters = torch.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)).clamp(min=0)
    filters[0] = 0
    return filters.float().to(device)


def log_mel(waveform: Tensor) -> Tensor:
    """[samples] -> [frames, 64]: log(mel + 0.001) of magnitudes, 25 ms windows every 10 ms, no centring."""
    window = torch.hann_window(_WINDOW, device=waveform.device)
    spectrum = torch.fft.rfft(waveform.unfold(-1, _WINDOW, _HOP) * window, _FFT).abs()
    return torch.log(spectrum @ _filters(waveform.device) + _LOG_OFFSET)


class _Separable(nn.Module):
    """Depthwise then pointwise convolution, batch norm folded into both."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, groups=inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.depthwise(_same(x, self.depthwise.stride[0])))
        return F.relu(self.pointwise(x))


def _same(x: Tensor, stride: int) -> Tensor:
    """TensorFlow's "same" padding of a 3x3 kernel; with stride 2 and an even size only the far edge is."""
    return F.pad(x, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))


class YAMNet(nn.Module):
    """Frames of 0.32 s, 1024 wide, and the classifier over 521 AudioSet classes (`classes`)."""

    name = "yamnet"
    role: Role = "audio"
    dim = 1024
    frame_rate = 3.125
    sample_rate = SAMPLE_RATE

    def __init__(self, classes: tuple[str, ...]) -> None:
        super().__init__()
        self.classes = classes
        self.stem = nn.Conv2d(1, _STEM, 3, 2)
        widths = [_STEM, *(channels for channels, _ in _BLOCKS)]
        self.blocks = nn.Sequential(
            *(
                _Separable(inputs, outputs, stride)
                for inputs, (outputs, stride) in zip(widths, _BLOCKS, strict=False)
            )
        )
        self.classifier = nn.Linear(self.dim, len(classes))

    @classmethod
    def load(cls, directory: Path) -> "YAMNet":
        """Raises WeightsError when the directory's weights are unreadable or do not fit."""
        with readable(directory):
            classes = tuple(json.loads((directory / "classes.json").read_text()))
        model = cls(classes)
        load_strictly(model, read_weights(directory))
        return model

    @torch.no_grad()
    def frames(self, waveform: Tensor) -> Tensor:
        """[samples] -> [time, 1024] at 3.125 Hz: the last feature map averaged over frequency."""
        device, dtype = placement(self)
        padded, count = pad_to_frames(waveform.to(device).float(), _STRIDE * _HOP, _WINDOW - _HOP)
        spectrogram = log_mel(padded).to(dtype)[None, None]
        features = self.blocks(F.relu(self.stem(_same(spectrogram, 2))))  # [1, 1024, time, 2]
        assert features.shape[2] == count
        return features.float().mean(dim=3)[0].T.contiguous()

    @torch.no_grad()
    def scores(self, frames: Tensor) -> Tensor:
        """[time, 1024] -> [time, 521] independent probabilities of the classes."""
        device, dtype = placement(self)
        return torch.sigmoid(self.classifier(frames.to(device, dtype)).float())

    def top(self, frames: Tensor, k: int = 3) -> list[tuple[str, float]]:
        """The k classes with the highest score averaged over the clip."""
        scores, indices = self.scores(frames).mean(dim=0).topk(k)
        return [
            (self.classes[index], score)
            for index, score in zip(indices.tolist(), scores.tolist(), strict=True)
        ]
