"""The lines that tuning prints, as the app reads them."""

from pathlib import Path

import pytest

from tests import tiny
from tests.usam.training.preferences.exports import clip, pair, write
from ui.studio.tuning.tuning_progress import ProgressReader
from usam.training import trainer
from usam.training.lora import add_llm_lora
from usam.training.preferences import reference
from usam.training.preferences.rows import read_preferences
from usam.training.trainer import Budget
from usam.training.tuning import TuningOptions, tune


def test_the_app_understands_every_line_that_tuning_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "LOG_STEPS", 1)
    monkeypatch.setattr(reference, "REPORTED", 1)
    model = tiny.model(words=True)
    add_llm_lora(model)
    (tmp_path / "parent").mkdir()
    (tmp_path / "parent" / "config.json").write_text("{}")
    rows = [pair(clip(tmp_path, number), "A dog.", "A cat or a dog.") for number in range(9)]
    options = TuningOptions(
        export=write(tmp_path / "export", rows),
        work=tmp_path / "work",
        output=tmp_path / "tuned",
        checkpoint=tmp_path / "parent",
        budget=Budget(steps=2),
        replayed=4,
        asked_again=2,
    )
    lines: list[str] = []
    tune(model, read_preferences(options.export), options, lines.append)
    reader = ProgressReader()
    seen = [reader.read(line, float(at)) for at, line in enumerate(lines)]
    assert list(dict.fromkeys(one.message for one in seen)) == [
        "Reading the answers with the model as it is",
        "Asking the model for answers to keep",
        "Asking questions with a known answer",
        "Answering held-out questions",
        "Tuning, step 1",
        "Tuning, step 2",
    ]
    assert next(one.share for one in seen if one.message == "Tuning, step 2") == 0.5
    assert seen[-1].check.startswith("held-out pairs right")
