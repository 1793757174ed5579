"""What one linear layer reads from pooled frames."""

import shutil
from dataclasses import replace
from pathlib import Path

import torch

from tests import tiny
from usam.data.corpus import Example
from usam.evaluation.baselines import encoder_classifier as kinds
from usam.evaluation.baselines.linear_probe import fit, pooled_frames

CLIPS = Path(__file__).parents[3] / "clips"


def test_probe_finds_what_is_linearly_there() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(300, 20, generator=generator) * 50 + 1000  # no scale or offset may matter
    classes = (features[:, 4] > features[:, 7]).long()
    fitted = fit(features[:200], classes[:200])
    assert (fitted(features[200:]) == classes[200:]).float().mean() > 0.85


def test_pooled_frames_are_kept_and_cut(tmp_path: Path) -> None:
    clip = CLIPS / "piano.ogg"
    one = Example(clip, 2.0, "music", None, "piano", "g", "own", "CC0", "")
    parts = [replace(one, span=span) for span in ((0.0, 0.5), (0.5, 1.5))]
    encoders = list(tiny.model().encoders)
    file = tmp_path / "work/pooled.safetensors"
    made = pooled_frames(encoders, parts, file, lambda message: None, kinds.statistics, longest=0.5)
    assert not torch.equal(made[0], made[1])  # two spans of one file are two clips
    calls = encoders[0].calls
    again = pooled_frames(encoders, parts[::-1], file, lambda message: None, kinds.statistics, longest=0.5)
    assert encoders[0].calls == calls
    assert torch.equal(again, made.flip(0))


def test_pooled_frames_of_other_encoders_or_another_clip_under_the_name_are_computed_anew(
    tmp_path: Path,
) -> None:
    clip = tmp_path / "clip.ogg"
    one = Example(clip, 2.0, "music", None, "piano", "g", "own", "CC0", "")
    encoders = list(tiny.model().encoders)

    def pooled(name: str) -> torch.Tensor:
        shutil.copyfile(CLIPS / name, clip)
        return pooled_frames(encoders, [one], tmp_path / "pooled.safetensors", lambda message: None)

    piano = pooled("piano.ogg")
    assert not torch.allclose(pooled("guitar.ogg"), piano)
    assert torch.equal(pooled("piano.ogg"), piano)
    encoders[1].projection.mul_(2)
    assert not torch.allclose(pooled("piano.ogg"), piano)
