"""`python -m usam ask`, with a small engine: what it times, and what it refuses before a model is loaded."""

import json
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import usam.audio.clip
import usam.cli.main
import usam.cli.options
from usam.engine.engine import Engine


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 8_000, "NONE", ""))
        file.writeframes(bytes([0, 32, 0, 224] * 4_000))
    return path


def test_the_time_to_read_the_clip_is_reported(
    engine: Engine, tone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read = usam.audio.clip.load_clip

    def slowly(*arguments: Any) -> usam.audio.clip.Clip:
        time.sleep(0.2)
        return read(*arguments)

    monkeypatch.setattr(usam.audio.clip, "load_clip", slowly)
    monkeypatch.setattr(usam.cli.options, "load_engine", lambda options: engine)
    assert usam.cli.main.main(["ask", str(tone), "--max-new-tokens", "2", "--json"]) == 0
    timings = json.loads(capsys.readouterr().out)["timings"]
    assert 0.2 <= timings["decode_s"] < timings["first_token_s"]
    assert timings["encode_s"] < timings["first_token_s"] - timings["decode_s"]


def sound(path: Path, samples: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * samples))


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is not a file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("notes, not sound\n" * 50), "damaged, or not audio"),
        (lambda path: sound(path, 0), "has no sound in it"),
        (lambda path: sound(path, 16), "too short"),
    ],
)
def test_a_clip_that_cannot_be_heard_is_one_line_and_no_model_is_loaded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    write: Callable[[Path], object],
    sentence: str,
) -> None:
    write(tmp_path / "clip.wav")
    monkeypatch.setattr(usam.cli.options, "load_engine", lambda options: pytest.fail("the model was loaded"))
    assert usam.cli.main.main(["ask", str(tmp_path / "clip.wav"), "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("usam: clip.wav ")
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
