"""`python -m usam ask`, with a small engine: what it times, and what it refuses before a model is loaded."""

import json
import time
import wave
from pathlib import Path
from typing import Any

import pytest

import usam.__main__
import usam.audio
from usam.engine import Engine


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 8_000, "NONE", ""))
        file.writeframes(bytes([0, 32, 0, 224] * 4_000))
    return path


def test_the_time_to_read_the_clip_is_told(
    engine: Engine, tone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read = usam.audio.load_clip

    def slowly(*arguments: Any) -> usam.audio.Clip:
        time.sleep(0.2)
        return read(*arguments)

    monkeypatch.setattr(usam.audio, "load_clip", slowly)
    monkeypatch.setattr(usam.__main__, "load_engine", lambda options: engine)
    assert usam.__main__.main(["ask", str(tone), "--max-new-tokens", "2", "--json"]) == 0
    timings = json.loads(capsys.readouterr().out)["timings"]
    assert 0.2 <= timings["decode_s"] < timings["first_token_s"]
    assert timings["encode_s"] < timings["first_token_s"] - timings["decode_s"]
