"""The encoders' arithmetic, on random weights: frames per clip, and equality with the published formulas."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from transformers import WhisperConfig

from usam.encoders import Encoder, MusiCNN, Whisper, YAMNet
from usam.encoders.base import load_strictly
from usam.errors import WeightsError
from usam.weights.convert.models import musicnn_state, yamnet_state


def tiny_whisper() -> Whisper:
    return Whisper(
        WhisperConfig(d_model=16, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=16)
    ).eval()


ENCODERS: list[Encoder] = [tiny_whisper(), YAMNet(("a", "b")).eval(), MusiCNN().eval()]


@settings(max_examples=12, deadline=None)
@given(samples=st.integers(1600, 80_000))
def test_every_clip_gets_exactly_its_frames(samples: int) -> None:
    noise = torch.rand(samples) - 0.5
    for encoder in ENCODERS:
        frames = encoder.frames(noise)
        assert frames.shape == (math.ceil(samples * encoder.frame_rate / 16_000), encoder.dim), encoder.name
        assert frames.dtype == torch.float32
        assert not frames.requires_grad


def test_whisper_hears_past_the_thirty_seconds_of_its_positions() -> None:
    whisper = ENCODERS[0]
    clip = torch.rand(31 * 16_000) - 0.5
    frames = whisper.frames(clip)
    assert frames.shape[0] == 31 * 50
    assert torch.allclose(frames[1500:], whisper.frames(clip[30 * 16_000 :]), atol=1e-5)


def test_encoders_hear_what_follows_the_last_whole_frame() -> None:
    clip = torch.zeros(16_000)
    clicked = clip.clone()
    clicked[-20:] = 0.9
    for encoder in ENCODERS:
        assert not torch.equal(encoder.frames(clip)[-1], encoder.frames(clicked)[-1]), encoder.name


@pytest.mark.parametrize("change", ["missing", "unexpected", "misshapen"])
def test_weights_that_do_not_fit_are_refused(change: str) -> None:
    model = YAMNet(("a", "b"))
    state = dict(model.state_dict())
    if change == "missing":
        del state["stem.bias"]
    elif change == "unexpected":
        state["stem.other"] = torch.zeros(1)
    else:
        state["classifier.bias"] = torch.zeros(3)
    with pytest.raises(WeightsError, match="do not fit YAMNet"):
        load_strictly(model, state)


def batch_norm(x: Tensor, source: dict[str, Tensor], at: str, epsilon: float) -> Tensor:
    """Batch norm in inference over dimension 1, straight from its definition."""
    mean, variance, gamma, beta = (
        source.get(f"{at}{name}", torch.ones(1)).view((1, -1) + (1,) * (x.dim() - 2))
        for name in ("moving_mean", "moving_variance", "gamma", "beta")
    )
    return gamma * (x - mean) / torch.sqrt(variance + epsilon) + beta


def musicnn_source() -> dict[str, Tensor]:
    torch.manual_seed(0)
    kernels = [(7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51)]
    kernels += [(7, 561, 1, 64), (7, 64, 1, 64), (7, 64, 1, 64)]
    source = {"beta1_power": torch.zeros(()), "dense/kernel/Adam": torch.zeros(1506, 200)}
    for i, shape in enumerate(kernels):
        at = f"conv2d_{i}" if i else "conv2d"
        source[f"{at}/kernel"] = torch.randn(shape) / math.prod(shape[:3]) ** 0.5
        source[f"{at}/bias"] = torch.randn(shape[3]) / 4
    for i, channels in enumerate([1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200]):
        at = f"batch_normalization_{i}" if i else "batch_normalization"
        source |= {f"{at}/{name}": torch.randn(channels) for name in ("gamma", "beta", "moving_mean")}
        source[f"{at}/moving_variance"] = torch.rand(channels) + 0.5
    for at, shape in (("dense", (1506, 200)), ("dense_1", (200, 50))):
        source |= {f"{at}/kernel": torch.randn(shape) / shape[0] ** 0.5, f"{at}/bias": torch.randn(shape[1])}
    return source


def test_musicnn_equals_its_published_front_and_middle() -> None:
    """conv, relu, batch norm, then max over frequency, in the published order (musicnn/models.py)."""
    source = musicnn_source()
    model = MusiCNN()
    load_strictly(model, musicnn_state(source))

    spectrogram = torch.rand(40, 96)
    x = batch_norm(spectrogram[None, None], source, "batch_normalization/", 1e-3)
    maps = []
    for i, padding in enumerate([(0, 0, 3, 3), (0, 0, 3, 3), (0, 0, 63, 64), (0, 0, 31, 32), (0, 0, 15, 16)]):
        at = f"conv2d_{i}" if i else "conv2d"
        kernel = source[f"{at}/kernel"].permute(3, 2, 0, 1)
        filtered = F.relu(F.conv2d(F.pad(x, padding), kernel, source[f"{at}/bias"]))
        maps.append(batch_norm(filtered, source, f"batch_normalization_{i + 1}/", 1e-3).amax(dim=3))
    front = torch.cat(maps, dim=1)
    layers, residual = [front], torch.zeros(1)
    for i in (5, 6, 7):
        kernel = source[f"conv2d_{i}/kernel"].squeeze(2).permute(2, 1, 0)
        filtered = F.relu(F.conv1d(F.pad(layers[-1], (3, 3)), kernel, source[f"conv2d_{i}/bias"]))
        residual = batch_norm(filtered, source, f"batch_normalization_{i + 1}/", 1e-3) + residual
        layers.append(residual)
    expected = torch.cat(layers, dim=1)[0]
    assert torch.allclose(model.features(spectrogram), expected, rtol=1e-3, atol=1e-3)


def test_yamnet_with_batch_norm_folded_in_equals_yamnet_with_batch_norm() -> None:
    torch.manual_seed(0)
    channels = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
    at = "model/layer_with_weights-{}/".format
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    source: dict[str, Tensor] = {}
    kernels = [("kernel", (3, 3, 1, 32))]
    for inputs, outputs in pairwise(channels):
        kernels += [("depthwise_kernel", (3, 3, inputs, 1)), ("kernel", (1, 1, inputs, outputs))]
    for layer, (name, shape) in enumerate(kernels):
        width = shape[2] if name == "depthwise_kernel" else shape[3]
        fan_in = 9 if name == "depthwise_kernel" else math.prod(shape[:3])
        source[at(2 * layer) + name + suffix] = torch.randn(shape) * (2 / fan_in) ** 0.5
        norm = at(2 * layer + 1)
        source |= {
            norm + "beta" + suffix: torch.randn(width),
            norm + "moving_mean" + suffix: torch.randn(width),
        }
        source[norm + "moving_variance" + suffix] = torch.rand(width) + 0.5
    source[at(54) + "kernel" + suffix] = torch.randn(1024, 521)
    source[at(54) + "bias" + suffix] = torch.randn(521)

    model = YAMNet(tuple(f"class {i}" for i in range(521)))
    load_strictly(model, yamnet_state(source))
    spectrogram = torch.randn(1, 1, 64, 64)

    def same_convolution(x: Tensor, kernel: Tensor, stride: int, groups: int) -> Tensor:
        """TensorFlow's "same": ceil(size / stride) outputs, the odd cell of padding at the end."""
        size = kernel.shape[2]
        pads = [max((math.ceil(n / stride) - 1) * stride + size - n, 0) for n in (x.shape[3], x.shape[2])]
        padded = F.pad(x, [edge for p in pads for edge in (p // 2, p - p // 2)])
        return F.conv2d(padded, kernel, None, stride, groups=groups)

    renamed = {name.removesuffix(suffix): value for name, value in source.items()}
    x = spectrogram
    for layer, (name, _) in enumerate(kernels):
        kernel = source[at(2 * layer) + name + suffix]
        depthwise = name == "depthwise_kernel"
        kernel = kernel.permute(2, 3, 0, 1) if depthwise else kernel.permute(3, 2, 0, 1)
        stride = 2 if layer == 0 else strides[layer // 2] if depthwise else 1
        x = same_convolution(x, kernel, stride, kernel.shape[0] if depthwise else 1)
        x = F.relu(batch_norm(x, renamed, at(2 * layer + 1), 1e-4))

    folded = model.blocks(F.relu(model.stem(F.pad(spectrogram, (0, 1, 0, 1)))))
    assert torch.allclose(folded, x, rtol=1e-3, atol=1e-3 * float(x.abs().max()))
