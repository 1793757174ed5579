"""The shipped checkpoint of the preset `base`, with its larger language model."""

from pathlib import Path

import jiwer
import pytest

from usam.engine.engine import Engine

EXAMPLES = Path(__file__).parents[2] / "ui" / "examples"
CLIPS = Path(__file__).parents[1] / "clips"
SPOKEN = "there was no lack of air and light for the new jail and several exercising yards"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load("base")


def test_it_writes_down_what_is_said(engine: Engine) -> None:
    answer = engine.ask(CLIPS / "speech_jail.ogg", task="asr")
    assert jiwer.wer(SPOKEN, answer.text.lower().replace(".", "").replace(",", "")) < 0.15
    assert answer.model.preset == "base"
    assert any(token.dropped for token in answer.trace.tokens)


def test_it_names_what_it_hears(engine: Engine) -> None:
    assert "dog" in engine.ask(EXAMPLES / "sound-dog.ogg", "What do you hear?").text.lower()
    assert "guitar" in engine.ask(CLIPS / "guitar.ogg", "What instrument is this?").text.lower()
    assert "does not tell" in engine.ask(CLIPS / "siren.ogg", "What is the capital of France?").text
