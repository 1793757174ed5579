"""Fitting the heads over all encoders' frames on labelled clips."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from tests import tiny
from usam.adapter.kinds import looks_of
from usam.data.corpus import Example
from usam.errors import RequestError
from usam.model.model import USAM
from usam.schema.segments import KINDS, Kind
from usam.training.head_fitting import (
    LOOK_SECONDS,
    drawn_rows,
    even_blanks,
    fit_heads,
    fit_kinds,
    hear_looks,
    in_a_row,
    kind_shares,
)


def clip(folder: Path, name: str, kind: Kind, seed: int, background: Kind | None = None) -> Example:
    """A wave that the toy encoders' frames all see alike, in another phase for each kind, and noise."""
    path = folder / f"{name}.wav"
    phase = 2 * np.pi * KINDS.index(kind) / len(KINDS)
    wave = 0.3 * np.sin(2 * np.pi * 50 * np.arange(16_000) / 16_000 + phase)
    noise = 0.01 * np.random.default_rng(seed).standard_normal(16_000)
    soundfile.write(path, wave + noise, 16_000)
    return Example(path, 1.0, kind, None, name, name, "made", "CC0", "en", background=background)


def fit(model: USAM, examples: list[Example], kept: Path) -> None:
    fit_kinds(model, hear_looks(model, examples, kept, lambda message: None))


def test_what_was_heard_is_read_when_heads_are_fitted_again(tmp_path: Path) -> None:
    model = tiny.model(words=True, kind_head=True)
    examples = [clip(tmp_path, f"voice {i}", "speech", i) for i in range(12)]
    examples += [clip(tmp_path, f"sound {i}", "sound", i) for i in range(12)]
    kept = tmp_path / "looks.pt"
    fit(model, examples, kept)
    head = model.adapter.kinds
    assert head is not None
    for example in examples:
        score = head(looks_of(model.frames(example.waveform()))).mean(0)
        assert KINDS[int(score.argmax())] == example.kind
        example.path.unlink()
    heard = hear_looks(model, examples, kept, lambda message: None)
    assert sum(one.weight == 1.0 for one in heard) == 24


def test_what_is_behind_a_voice_is_heard_too(tmp_path: Path) -> None:
    model = tiny.model(words=True, kind_head=True)
    examples = [clip(tmp_path, f"both {i}", "speech", i, background="music") for i in range(8)]
    fit(model, examples, tmp_path / "looks.pt")
    assert model.adapter.kinds is not None
    score = model.adapter.kinds(looks_of(model.frames(examples[0].waveform()))).mean(0)
    assert [kind for kind, one in zip(KINDS, score.tolist(), strict=True) if one > 0] == ["speech", "music"]


def test_rows_hold_each_kind_once_and_tell_when(tmp_path: Path) -> None:
    examples = [clip(tmp_path, f"{kind} {i}", kind, i) for kind in KINDS for i in range(3)]
    examples.append(clip(tmp_path, "both", "speech", 9, background="music"))
    random = Random(0)
    rows = list(drawn_rows(examples, 20, random))
    assert {len(row) for row in rows} == {2, 3}
    assert all(len({one.kind for one in row}) == len(row) for row in rows)
    assert not any(one.background for row in rows for one in row)
    waveform, spans = in_a_row(rows[0], random)
    assert [kind for _, _, kind in spans] == [one.kind for one in rows[0]]
    assert all(end - start == pytest.approx(1.0) for start, end, _ in spans)
    assert spans[-1][1] <= len(waveform) / 16_000
    assert list(drawn_rows(examples[:3], 5, random)) == []


def test_a_look_tells_how_much_of_it_each_kind_is_heard() -> None:
    half = LOOK_SECONDS / 2
    shares = kind_shares([(0.0, 1.5 * LOOK_SECONDS, "speech"), (2 * LOOK_SECONDS, 9.0, "music")], 3, 9.0)
    assert shares[:2].tolist() == [[1.0, 0.0, 0.0], [pytest.approx(0.5), 0.0, 0.0]]
    assert shares[2].tolist() == [0.0, 0.0, pytest.approx(1.0)]
    assert kind_shares([(0.0, half, "sound")], 1, half)[0].tolist() == [0.0, pytest.approx(1.0), 0.0]


def test_instruments_that_several_clips_have_can_be_told_afterwards(tmp_path: Path) -> None:
    model = tiny.model(words=True, kind_head=True)
    named = [
        replace(clip(tmp_path, f"{kind} {i}", kind, i), label=label, source=f"source {i % 2}")
        for kind, label in (("sound", "Dog Bark"), ("music", "Tom (drum machine)"))
        for i in range(6)
    ]
    # The same wave as a voice's, which no other instrument has.
    named += [
        replace(
            clip(tmp_path, f"oboe {i}", "speech", i), kind="music", label="Oboe", source=f"source {i % 2}"
        )
        for i in range(6)
    ]
    once = replace(clip(tmp_path, "once", "music", 9), label="sitar")
    fit_heads(model, [*named, once], tmp_path / "looks.pt", lambda message: None)
    assert model.adapter.config.names == {"music": ["oboe", "tom"]}
    head = model.adapter.names
    assert head is not None
    for example in named[6:]:
        scores = head(looks_of(model.frames(example.waveform())))
        assert head.names[int(scores.mean(0).argmax())] in (example.label or "").lower()


def test_without_clips_there_is_nothing_to_fit_on(tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        fit_heads(tiny.model(words=True, kind_head=True), [], tmp_path / "looks.pt", lambda message: None)


def test_a_place_that_says_nothing_more_often_is_brought_to_what_the_others_say(tmp_path: Path) -> None:
    model = tiny.model(words=True)
    anchor, places = model.adapter.anchor, model.adapter.config.queries_per_window
    assert anchor is not None
    clips = []
    for seed in range(12):
        path = tmp_path / f"{seed}.wav"
        soundfile.write(path, 0.3 * np.random.default_rng(seed).standard_normal(46_080), 16_000)
        clips.append(Example(path, 2.88, "sound", None, "noise", "noise", "made", "CC0", "en"))

    def leads() -> Tensor:
        """How far the blank is before the likeliest word, by place of a window [N, places]."""
        found = []
        for one in clips:
            frames = model.frames(one.waveform())
            tokens, mask = model.adapter.encode(frames[None], torch.ones(1, len(frames), dtype=torch.bool))
            logits = model.project(tokens, mask, [model.prompts.build("What do you hear?").question]).logits
            assert logits is not None
            found.append((logits[0, :, -1] - logits[0, :, :-1].amax(-1)).view(-1, places))
        return torch.cat(found)

    usual = leads()
    later = torch.tensor([0.0, 0.0, 0.0, float(usual.std())]) - usual.quantile(0.8)
    anchor.blank.register_forward_hook(
        lambda module, given, blank: blank + later.repeat(blank.shape[1] // places)[:, None]
    )
    before = (leads() > 0).float().mean(0)
    even_blanks(model, clips, lambda message: None)
    after = (leads() > 0).float().mean(0)
    assert before[3] > before[:3].max() + 0.15
    assert after[:3].tolist() == pytest.approx(before[:3].tolist(), abs=0.1)
    assert after[3] == pytest.approx(float(after[:3].mean()), abs=0.1)
