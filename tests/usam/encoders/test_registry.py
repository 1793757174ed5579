"""The table of encoders against the encoders themselves, and the presets against what can be loaded."""

import json
from pathlib import Path

import pytest

from tests import tiny
from usam.checkpoints.layout import bundled
from usam.cli.main import parser
from usam.config import PRESETS, USAMConfig
from usam.encoders import MusiCNN, YAMNet
from usam.encoders.registry import ENCODERS, by_role, load_encoders
from usam.errors import WeightsError
from usam.weights import catalogue
from usam.weights.cache import WeightPaths


def test_the_default_sizes_are_those_of_the_encoders_it_names() -> None:
    config = USAMConfig()
    specs = [ENCODERS[name] for name in config.encoder_names]
    assert [spec.dim for spec in specs] == list(config.encoder_dims)
    assert (
        [spec.role for spec in specs] == [spec.source.role for spec in specs] == ["speech", "audio", "music"]
    )
    for spec, encoder in ((specs[1], YAMNet), (specs[2], MusiCNN)):
        assert (spec.dim, spec.frame_rate) == (encoder.dim, encoder.frame_rate)


@pytest.mark.parametrize("preset", sorted({*PRESETS, *catalogue.PRESETS}))
def test_a_preset_has_sizes_models_and_a_checkpoint(preset: str) -> None:
    config = USAMConfig.from_preset(preset)
    models = catalogue.PRESETS[preset]
    assert [ENCODERS[name].source for name in config.encoder_names] == list(models.encoders)
    stored = bundled(preset) / "config.json"
    assert json.loads(stored.read_text())["preset"] == preset


def test_the_command_line_offers_the_presets_that_load() -> None:
    assert parser().parse_args(["health", "--preset", "mini"]).preset == "mini"
    with pytest.raises(SystemExit):
        parser().parse_args(["health", "--preset", "paper"])


def test_an_encoder_is_found_by_what_it_listens_for() -> None:
    model = tiny.model()
    assert model.encoder("music") is list(model.encoders)[2]
    with pytest.raises(LookupError, match="no music encoder"):
        by_role(list(model.encoders)[:2], "music")  # type: ignore[arg-type]


def test_an_encoder_that_is_not_known_is_named() -> None:
    with pytest.raises(WeightsError, match="no encoder 'ced-base'; there is whisper-base"):
        load_encoders(WeightPaths({}, Path("nowhere")), ("whisper-base", "ced-base"))
