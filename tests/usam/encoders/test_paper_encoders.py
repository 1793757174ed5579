"""CED and MERT in the form of their published checkpoints, with tiny random weights."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import HubertConfig, HubertModel

from tests import tiny
from usam.encoders.base import SoundClassifier
from usam.encoders.ced import CED, log_mel
from usam.encoders.frames import align, encode
from usam.encoders.mert import MERT
from usam.errors import WeightsError

DIM, DEPTH, BANDS = 8, 2, 32


def ced_state() -> dict[str, Tensor]:
    """With the names of `CedForAudioClassification`, as on the hub."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) * 0.3

    state = {
        "encoder.init_bn.weight": random(BANDS),
        "encoder.init_bn.bias": random(BANDS),
        "encoder.init_bn.running_mean": random(BANDS) - 20,
        "encoder.init_bn.running_var": random(BANDS).abs() * 100 + 50,
        "encoder.init_bn.num_batches_tracked": torch.tensor(3),
        "encoder.patch_embed.proj.weight": random(DIM, 1, 16, 16),
        "encoder.patch_embed.proj.bias": random(DIM),
        "encoder.time_pos_embed": random(1, DIM, 1, 6),
        "encoder.freq_pos_embed": random(1, DIM, BANDS // 16, 1),
        "encoder.norm.weight": random(DIM),
        "encoder.norm.bias": random(DIM),
        "outputlayer.0.weight": random(DIM),
        "outputlayer.0.bias": random(DIM),
        "outputlayer.1.weight": random(3, DIM),
        "outputlayer.1.bias": random(3),
    }
    shapes = {"attn.qkv": (3 * DIM, DIM), "attn.proj": (DIM, DIM), "mlp.fc1": (4 * DIM, DIM)}
    shapes["mlp.fc2"] = (DIM, 4 * DIM)
    for block in range(DEPTH):
        for name, shape in shapes.items():
            state[f"encoder.blocks.{block}.{name}.weight"] = random(*shape)
            state[f"encoder.blocks.{block}.{name}.bias"] = random(shape[0])
        for name in ("norm1", "norm2"):
            state[f"encoder.blocks.{block}.{name}.weight"] = random(DIM)
            state[f"encoder.blocks.{block}.{name}.bias"] = random(DIM)
    return state


@pytest.fixture
def ced_folder(tmp_path: Path) -> Path:
    labels = {"10": "Siren", "2": "Rain", "0": "Speech"}
    sizes = {"n_mels": BANDS, "patch_size": 16, "patch_stride": 16, "embed_dim": DIM, "depth": DEPTH}
    config = {**sizes, "num_heads": 2, "target_length": 100, "model_type": "ced", "id2label": labels}
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(ced_state(), tmp_path / "model.safetensors")
    return tmp_path


def plain_ced(state: dict[str, Tensor], spectrogram: Tensor) -> Tensor:
    """The published model's arithmetic for one span, written out: [bands, frames] -> [time, D]."""
    bn = [
        state[f"encoder.init_bn.{name}"][:, None]
        for name in ("running_mean", "running_var", "weight", "bias")
    ]
    x = (spectrogram - bn[0]) / (bn[1] + 1e-5).sqrt() * bn[2] + bn[3]
    x = F.conv2d(
        x[None, None],
        state["encoder.patch_embed.proj.weight"],
        state["encoder.patch_embed.proj.bias"],
        stride=16,
    )
    x = x + state["encoder.time_pos_embed"][..., : x.shape[-1]] + state["encoder.freq_pos_embed"]
    rows, columns = x.shape[2:]
    x = x.flatten(2).permute(0, 2, 1)[0]

    def linear(name: str, value: Tensor) -> Tensor:
        return value @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(name: str, value: Tensor) -> Tensor:
        return F.layer_norm(value, (DIM,), state[f"{name}.weight"], state[f"{name}.bias"], 1e-6)

    for block in range(DEPTH):
        at = f"encoder.blocks.{block}"
        qkv = linear(f"{at}.attn.qkv", norm(f"{at}.norm1", x)).view(len(x), 3, 2, DIM // 2)
        query, key, value = qkv.permute(1, 2, 0, 3)
        weights = (query @ key.transpose(1, 2) * (DIM // 2) ** -0.5).softmax(-1)
        x = x + linear(f"{at}.attn.proj", (weights @ value).transpose(0, 1).reshape(len(x), DIM))
        x = x + linear(f"{at}.mlp.fc2", F.gelu(linear(f"{at}.mlp.fc1", norm(f"{at}.norm2", x))))
    return norm("encoder.norm", x).view(rows, columns, DIM).mean(0)


def test_ced_hears_what_the_published_arithmetic_gives(ced_folder: Path) -> None:
    ced = CED.load(ced_folder)
    waveform = tiny.clip(0.8).waveform
    frames = ced.frames(waveform)
    assert frames.shape == (5, DIM)
    assert ced.frame_rate == 6.25
    expected = plain_ced(ced_state(), log_mel(waveform, BANDS)[:, :80])
    torch.testing.assert_close(frames, expected, atol=1e-4, rtol=1e-4)


def test_ced_names_sounds_in_the_order_of_its_classes_and_hears_clips_of_any_length(ced_folder: Path) -> None:
    ced = CED.load(ced_folder)
    assert isinstance(ced, SoundClassifier)
    assert ced.classes == ("Speech", "Rain", "Siren")
    frames = encode(ced, tiny.clip(2.5).waveform)  # longer than there are positions
    assert frames.shape == (16, DIM)
    assert ced.scores(frames).shape == (16, 3)


def test_a_ced_of_another_form_is_refused(ced_folder: Path) -> None:
    config = json.loads((ced_folder / "config.json").read_text())
    (ced_folder / "config.json").write_text(json.dumps(config | {"patch_stride": 8}))
    with pytest.raises(WeightsError, match="overlap"):
        CED.load(ced_folder)


SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}


@pytest.fixture
def published() -> HubertModel:
    torch.manual_seed(0)
    return HubertModel(HubertConfig(**SIZES)).eval()


@pytest.fixture(params=["model.safetensors", "pytorch_model.bin"])
def mert_folder(request: pytest.FixtureRequest, tmp_path: Path, published: HubertModel) -> Path:
    """As on the hub: the old names of weight norm, and a mask that only training uses."""
    old = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor.contiguous()
        for name, tensor in published.state_dict().items()
    }
    assert any("weight_g" in name for name in old)
    assert "masked_spec_embed" in old
    if request.param.endswith("bin"):
        torch.save(old, tmp_path / request.param)
    else:
        save_file(old, tmp_path / request.param)
    extra = {"model_type": "mert_model", "deepnorm": False, "feature_extractor_cqt": False}
    (tmp_path / "config.json").write_text(json.dumps({**SIZES, **extra}))
    return tmp_path


def test_mert_is_the_mean_of_the_published_models_hidden_states(
    mert_folder: Path, published: HubertModel
) -> None:
    mert = MERT.load(mert_folder)
    waveform = torch.randn(24_000, generator=torch.Generator().manual_seed(0)) * 0.1 + 0.2
    frames = mert.frames(waveform)
    assert frames.shape == (75, 16)
    normal = (waveform - waveform.mean()) / waveform.std(unbiased=False)
    with torch.no_grad():
        states = published(nn.functional.pad(normal, (0, 80))[None], output_hidden_states=True).hidden_states
    torch.testing.assert_close(frames, torch.stack(states)[:, 0].mean(0), atol=1e-3, rtol=1e-3)
    assert encode(mert, tiny.clip(1.0).waveform).shape == (75, 16)  # a clip at 16 kHz


@pytest.mark.parametrize("field", ["deepnorm", "feature_extractor_cqt"])
def test_a_mert_of_another_form_is_refused(mert_folder: Path, field: str) -> None:
    config = json.loads((mert_folder / "config.json").read_text())
    (mert_folder / "config.json").write_text(json.dumps(config | {field: True}))
    with pytest.raises(WeightsError, match=field):
        MERT.load(mert_folder)


def test_frames_at_75_hz_are_pooled_over_the_time_of_each_frame_of_u() -> None:
    stream = torch.arange(75.0)[:, None]  # one second, whose frame i holds i
    pooled = align([stream], [75.0], 16_000)
    assert pooled.shape == (50, 1)
    # The first takes all of frame 0 and half of frame 1, the second the other half and all of frame 2.
    assert pooled[:2, 0].tolist() == pytest.approx([(0 + 0.5) / 1.5, (0.5 + 2) / 1.5])
    assert float(pooled.mean()) == pytest.approx(float(stream.mean()))
    constant = align([torch.full((70, 1), 3.0)], [75.0], 16_000)  # fewer frames than the clip is long
    assert torch.allclose(constant, torch.tensor(3.0))
