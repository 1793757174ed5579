"""Views of sounds and music: other recordings of the same, made once."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from usam.audio.samples import SAMPLE_RATE
from usam.data.corpus import Example
from usam.data.derived.views import tilt, view, write_views
from usam.schema.segments import Kind


def tone(frequency: float, seconds: float = 0.5) -> torch.Tensor:
    return 0.3 * torch.sin(2 * torch.pi * frequency * torch.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def example(path: Path, kind: Kind) -> Example:
    return Example(path, 0.5, kind, None, "bell", "g", "s", "CC0", "en")


@pytest.mark.parametrize("seed", range(20))
def test_a_view_is_finite_in_range_and_about_as_long(seed: int) -> None:
    seen = view(tone(440), np.random.default_rng(seed))
    assert torch.isfinite(seen).all()
    assert seen.abs().max() <= 1
    assert 0.5 / 1.25 - 0.01 <= len(seen) / SAMPLE_RATE <= 0.5 / 0.8 + 0.61


def test_tilting_brightens_what_is_above_a_kilohertz_alone() -> None:
    low, high = (tilt(tone(f), 0.5).norm() / tone(f).norm() for f in (250, 4000))
    assert low == pytest.approx(0.5, rel=0.05)
    assert high == pytest.approx(2.0, rel=0.05)


def test_views_are_of_sounds_and_music_and_made_once(tmp_path: Path) -> None:
    clips = []
    for kind in ("sound", "speech", "music"):
        path = tmp_path / f"{kind}.wav"
        soundfile.write(path, tone(600).numpy(), SAMPLE_RATE)
        clips.append(example(path, kind))  # type: ignore[arg-type]
    first = list(write_views(tmp_path / "views", clips, seed=0))
    assert [(e.kind, e.label) for e in first] == [("sound", "bell"), ("music", "bell")]
    assert all(soundfile.info(e.path).duration == pytest.approx(e.seconds) for e in first)
    written = [e.path.stat().st_mtime_ns for e in first]
    assert list(write_views(tmp_path / "views", clips, seed=0)) == first
    assert [e.path.stat().st_mtime_ns for e in first] == written
