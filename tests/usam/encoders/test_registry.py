"""The registries against what they name, the presets against what can be loaded, and what others add."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import tiny
from usam.checkpoints.layout import bundled
from usam.cli.main import parser
from usam.config import USAMConfig
from usam.encoders import MusiCNN, Whisper, YAMNet
from usam.encoders.frames import encode
from usam.encoders.registry import ENCODERS, EncoderSpec, by_role, load_encoders, register_encoder
from usam.errors import RequestError, WeightsError
from usam.llm.registry import LLMS
from usam.presets import PRESETS, register_preset
from usam.registry import Registry


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    for registry in (ENCODERS, LLMS, PRESETS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))  # type: ignore[attr-defined]


def toy(**fields: Any) -> EncoderSpec:
    def load(folder: Path) -> tiny.ToyEncoder:
        encoder = tiny.ToyEncoder("toy", 6, 50.0)
        encoder.role = "speech"
        return encoder

    return replace(EncoderSpec("toy", "speech", 6, 50.0, 16_000, None, load), **fields)  # type: ignore[arg-type]


def test_the_encoders_are_as_their_entries_say() -> None:
    for encoder in (Whisper, YAMNet, MusiCNN):
        spec = ENCODERS[encoder.name]
        assert (spec.role, spec.frame_rate, spec.sample_rate) == (
            encoder.role,
            encoder.frame_rate,
            encoder.sample_rate,
        )


@pytest.mark.parametrize("preset", PRESETS.names())
def test_a_preset_names_what_can_be_loaded(preset: str) -> None:
    config = USAMConfig.from_preset(preset)
    for name, role, dim in zip(config.encoder_names, config.encoder_roles, config.encoder_dims, strict=True):
        assert (ENCODERS[name].role, ENCODERS[name].dim) == (role, dim)
    if config.llm_name in LLMS:  # else it is looked for on the hub
        assert LLMS[config.llm_name].dim == config.llm_dim


def test_the_shipped_checkpoint_is_of_its_preset() -> None:
    stored = json.loads((bundled("mini") / "config.json").read_text())
    config = USAMConfig.from_preset("mini")
    assert stored["preset"] == "mini"
    assert {name: stored[name] for name in PRESETS["mini"].fields if name in stored} == {
        name: value for name, value in PRESETS["mini"].fields.items() if name in stored
    }
    assert USAMConfig.from_pretrained(bundled("mini")).channels("audio") == config.channels("audio")


def test_the_command_line_offers_the_presets_that_load() -> None:
    assert parser().parse_args(["health", "--preset", "mini"]).preset == "mini"
    with pytest.raises(SystemExit):
        parser().parse_args(["health", "--preset", "huge"])


def test_an_encoder_is_found_by_what_it_listens_for() -> None:
    model = tiny.model()
    assert model.encoder("music") is list(model.encoders)[2]
    with pytest.raises(LookupError, match="no music encoder"):
        by_role(list(model.encoders)[:2], "music")  # type: ignore[arg-type]


def test_channels_follow_the_roles_not_the_order() -> None:
    sizes = {"encoder_names": ("a", "b"), "encoder_roles": ("music", "speech"), "encoder_dims": (4, 6)}
    config = tiny.config(**sizes, slow_size=8)
    assert (config.channels("speech"), config.channels("audio")) == (slice(4, 10), slice(0, 0))
    adapter = tiny.adapter(**sizes, slow_size=8).eval()
    frames, mask = torch.randn(1, 32, 10), torch.ones(1, 32, dtype=torch.bool)
    loud = frames.clone()
    loud[..., 4:] += 5  # speech, which the slow path does not hear
    slow = [adapter.qformer.listen(each, mask)[1] for each in (frames, loud)]
    assert slow[0].shape[-1] == 4
    assert torch.equal(*slow)


def one_encoder(name: str = "toy", **sizes: Any) -> USAMConfig:
    fields = {"encoder_names": (name,), "encoder_roles": ("speech",), "encoder_dims": (6,), **sizes}
    return tiny.config(**fields)


def test_an_encoder_that_is_not_known_is_named() -> None:
    with pytest.raises(RequestError, match="no encoder 'beats'; there is ced-base, mert-v1-95m, musicnn"):
        load_encoders({}, one_encoder("beats"))


@pytest.mark.parametrize(
    ("fields", "sizes", "sentence"),
    [
        ({"dim": 7}, {}, "has dim 6; its entry says 7"),
        ({"sample_rate": 24_000}, {}, "has sample_rate 16000; its entry says 24000"),
        ({}, {"encoder_dims": (9,)}, "frames 6 wide; the configuration was made for speech and 9"),
        ({}, {"encoder_roles": ("music",)}, "listens for speech .* made for music"),
        ({"load": lambda folder: object()}, {}, "no torch.nn.Module"),
    ],
)
def test_an_encoder_that_does_not_fit_is_refused_in_a_sentence(
    fields: dict[str, Any], sizes: dict[str, Any], sentence: str
) -> None:
    register_encoder(toy(**fields))
    with pytest.raises(WeightsError, match=sentence):
        load_encoders({"toy": Path()}, one_encoder(**sizes))


def test_frames_of_another_width_than_promised_are_refused() -> None:
    encoder = tiny.ToyEncoder("toy", 6, 50.0)
    encoder.dim = 5
    with pytest.raises(WeightsError, match="gave frames 6 wide instead of 5"):
        encode(encoder, torch.zeros(3200))  # type: ignore[arg-type]


def test_an_encoder_gets_its_own_sample_rate() -> None:
    lengths: list[int] = []

    class Fine(tiny.ToyEncoder):
        def frames(self, waveform: torch.Tensor) -> torch.Tensor:
            lengths.append(len(waveform))
            return torch.zeros(1, self.dim)

    encoder = Fine("toy", 6, 50.0)
    encoder.sample_rate = 24_000
    encode(encoder, torch.zeros(16_000))  # type: ignore[arg-type]
    assert lengths == [24_000]


def test_a_preset_that_does_not_fit_is_refused_in_a_sentence(tmp_path: Path) -> None:
    register_preset("odd", {"tempo": 3})
    register_preset("uneven", {"encoder_dims": [1]})
    (tmp_path / "broken.json").write_text("[")
    for name, sentence in (
        ("odd", "field 'tempo'"),
        ("uneven", "every encoder"),
        ("huge", "no preset 'huge'"),
    ):
        with pytest.raises(RequestError, match=sentence):
            USAMConfig.from_preset(name)
    with pytest.raises(RequestError, match="cannot be read"):
        register_preset("broken", tmp_path / "broken.json")
    with pytest.raises(RequestError, match="already"):
        register_preset("mini", {})


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package with entry points: a preset that is well, one that fails, and something else."""
    info = tmp_path / "others-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[usam.presets]\nsmaller = others:PRESET\nbroken = others.nothing:PRESET\nother = others:OTHER\n"
    )
    (tmp_path / "others.py").write_text(
        'from usam.presets import Preset\nPRESET = Preset({"hidden_size": 192})\nOTHER = 3\n'
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_a_package_adds_a_preset_by_an_entry_point(installed: None) -> None:
    assert USAMConfig.from_preset("smaller").hidden_size == 192
    assert parser().parse_args(["health", "--preset", "smaller"]).preset == "smaller"
    assert {"broken", "mini", "other", "smaller"} <= set(PRESETS.names())


def test_an_entry_point_that_fails_is_named(installed: None) -> None:
    with pytest.raises(RequestError, match=r"preset 'broken' of others\.nothing:PRESET cannot be loaded"):
        USAMConfig.from_preset("broken")
    with pytest.raises(RequestError, match="is no Preset, but a int"):
        USAMConfig.from_preset("other")


def test_a_registry_lists_what_there_is() -> None:
    registry = Registry("colour", "usam.test.colours", str, [("red", "#f00")])
    registry.register("blue", "#00f")
    assert registry.names() == ["blue", "red"]
    assert "blue" in registry
    assert "green" not in registry
