"""Whole recordings through a small engine: parts that follow one another, and words at their times."""

import json
import threading
import weakref
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

import usam.cli.main
import usam.cli.options
from tests import tiny
from usam.audio.samples import SAMPLE_RATE
from usam.engine.engine import Engine
from usam.errors import AudioError, RequestError
from usam.schema.tasks import SpeechTask


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return tiny.engine(tmp_path, words=True)


def test_parts_and_their_segments_cover_the_recording(engine: Engine, recording: Path) -> None:
    parts = list(engine.transcribe(recording))
    segments = [segment for part in parts for segment in part.segments]
    assert len(parts) > 2
    assert (parts[0].start, parts[-1].end) == (0.0, pytest.approx(65.0))
    assert all(one.end == pytest.approx(two.start) for one, two in pairwise(segments))


def test_words_are_at_their_times_in_the_recording(engine: Engine, recording: Path) -> None:
    """The small engine's head says the same two words at the beginning of all it hears."""
    parts = list(engine.transcribe(recording))
    assert [[word.text for s in part.segments for word in s.words] for part in parts] == [
        ["bon", "jour"] for _ in parts
    ]
    times = [word.start for part in parts for s in part.segments for word in s.words]
    assert times == sorted(times)
    for part in parts:
        for word in (word for segment in part.segments for word in segment.words):
            assert abs(word.start - part.start) < 1.0


def test_it_can_be_stopped_and_translated(engine: Engine, recording: Path) -> None:
    stop = threading.Event()
    parts = engine.transcribe(recording, "translate", stop)
    assert "welcome" in [word.text for s in next(parts).segments for word in s.words]
    stop.set()
    assert list(parts) == []


def test_it_goes_on_where_it_was_stopped(engine: Engine, recording: Path) -> None:
    whole = list(engine.transcribe(recording))
    assert list(engine.transcribe(recording, after=whole[0])) == whole[1:]
    assert list(engine.transcribe(recording, after=whole[-1])) == []


def test_no_more_than_a_span_is_held_at_once(engine: Engine, recording: Path) -> None:
    held: list[weakref.ref[Tensor]] = []
    hear = engine.model.hear_words

    def spy(waveform: Tensor, task: SpeechTask) -> Any:
        held.append(weakref.ref(waveform))
        assert sum(one() is not None for one in held) <= 2
        assert len(waveform) <= 30 * SAMPLE_RATE
        return hear(waveform, task)

    engine.model.hear_words = spy  # type: ignore[method-assign]
    assert len(list(engine.transcribe(recording))) == len(held) > 2


def test_a_checkpoint_without_words_refuses(tmp_path: Path, recording: Path) -> None:
    with pytest.raises(RequestError, match="no words"):
        next(tiny.engine(tmp_path).transcribe(recording))
    with pytest.raises(AudioError):
        next(tiny.engine(tmp_path, words=True).transcribe(tmp_path / "none.wav"))


@pytest.mark.parametrize("form", ["txt", "srt", "vtt", "json", "csv", "rttm", "textgrid"])
def test_the_command_writes_every_format(
    form: str,
    engine: Engine,
    recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(usam.cli.options, "load_engine", lambda options: engine)
    assert usam.cli.main.main(["transcribe", str(recording), "--format", form]) == 0
    printed = capsys.readouterr().out
    out = recording.with_suffix(f".{form}")
    assert usam.cli.main.main(["transcribe", str(recording), "--format", form, "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == printed
    if form == "json":
        assert json.loads(printed)["duration"] == pytest.approx(65.0)
    if form != "rttm":
        assert "jour" in printed


def test_a_bad_recording_is_refused_before_the_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(usam.cli.options, "load_engine", lambda options: pytest.fail("it was loaded"))
    assert usam.cli.main.main(["transcribe", str(tmp_path / "none.wav")]) == 2
    assert "does not exist" in capsys.readouterr().err
