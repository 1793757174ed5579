"""The names that are given to YAMNet's own classes."""

import re
from pathlib import Path

import pytest

from usam.encoders import YAMNet
from usam.encoders.heads.sound_classes import PLACES, VAGUE, VOICES, plain_name
from usam.model.pretrained import fetch


@pytest.fixture(scope="module")
def classes() -> tuple[str, ...]:
    return YAMNet.load(Path(fetch().encoders["yamnet"])).classes


def test_every_class_has_a_plain_name(classes: tuple[str, ...]) -> None:
    names = [plain_name(name) for name in classes]
    assert not [name for name in names if not re.fullmatch(r"[a-z][a-z0-9' \-]*", name)]


def test_the_classes_that_are_distinguished_are_yamnets(classes: tuple[str, ...]) -> None:
    wanted = {*VOICES, *PLACES, *VAGUE, "Singing", "Choir", "Chant", "Music", "Scary music"}
    assert wanted <= set(classes)
