"""Fitting the kind head on labelled clips, once."""

from pathlib import Path

import numpy as np
import soundfile
import torch

from tests import tiny
from usam.adapter.kinds import looks_of
from usam.data.corpus import Example
from usam.schema.segments import KINDS, Kind
from usam.training.words_pipeline import fit_kinds


def clip(folder: Path, name: str, kind: Kind, seed: int, background: Kind | None = None) -> Example:
    """A wave that the toy encoders' frames all see alike, in another phase for each kind, and noise."""
    path = folder / f"{name}.wav"
    phase = 2 * np.pi * KINDS.index(kind) / len(KINDS)
    wave = 0.3 * np.sin(2 * np.pi * 50 * np.arange(16_000) / 16_000 + phase)
    noise = 0.01 * np.random.default_rng(seed).standard_normal(16_000)
    soundfile.write(path, wave + noise, 16_000)
    return Example(path, 1.0, kind, None, name, name, "made", "CC0", "en", background=background)


def test_the_kind_head_is_fitted_once_and_read_afterwards(tmp_path: Path) -> None:
    model = tiny.model(words=True, kind_head=True)
    examples = [clip(tmp_path, f"voice {i}", "speech", i) for i in range(12)]
    examples += [clip(tmp_path, f"sound {i}", "sound", i) for i in range(12)]
    kept = tmp_path / "kinds.pt"
    fit_kinds(model, examples, kept, lambda message: None)
    head = model.adapter.kinds
    assert head is not None
    for example in examples:
        score = head(looks_of(model.frames(example.waveform()))).mean(0)
        assert KINDS[int(score.argmax())] == example.kind
    again = tiny.model(words=True, kind_head=True)
    fit_kinds(again, [], kept, lambda message: None)
    assert again.adapter.kinds is not None
    assert torch.equal(again.adapter.kinds.head.weight, head.head.weight)


def test_what_is_behind_a_voice_is_heard_too(tmp_path: Path) -> None:
    model = tiny.model(words=True, kind_head=True)
    examples = [clip(tmp_path, f"both {i}", "speech", i, background="music") for i in range(8)]
    fit_kinds(model, examples, tmp_path / "kinds.pt", lambda message: None)
    assert model.adapter.kinds is not None
    score = model.adapter.kinds(looks_of(model.frames(examples[0].waveform()))).mean(0)
    assert [kind for kind, one in zip(KINDS, score.tolist(), strict=True) if one > 0] == ["speech", "music"]
