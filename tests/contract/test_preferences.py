"""What the app's database exports of people's judgements is what `usam tune` learns from."""

import json
from pathlib import Path

import pytest

from storage import Feedback, open_database
from storage.export import export as write_export
from tests import tiny
from usam.cli.tune import export
from usam.errors import RequestError
from usam.training.preferences.rows import read_preferences


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with votes about one kept clip and one that was not kept, and a thumb."""
    folder = tmp_path / "data"
    feedback = Feedback(open_database(f"sqlite:///{folder / 'feedback.db'}"))
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    engine = tiny.engine(tmp_path)
    for seed, kept in ((0, str(clip)), (1, None)):
        record = engine.ask(tiny.clip(seed=seed), "What?", task="aac", max_new_tokens=1).to_json()
        answers = [
            feedback.record_answer(
                json.loads(json.dumps(record | {"answer": text, "stopped": False})),
                annotator="me",
                audio_path=kept,
            )
            for text in ("A dog.", "A cat.")
        ]
        feedback.compare(answers[0], answers[1], "me", "b")
        feedback.rate(answers[0], "me", thumb=-1)
    feedback.database.close()
    return folder


def test_the_app_s_ratings_are_exported_and_read(data: Path, tmp_path: Path) -> None:
    found = read_preferences(export(data, tmp_path / "export"))
    assert found.counts == {"comparison": 1, "thumb": 1}
    assert found.dropped == {"audio not kept": 2}
    (pair,) = found.pairs
    assert (pair.chosen, pair.rejected, pair.asked.task, pair.asked.question) == (
        "A cat.",
        "A dog.",
        "aac",
        "What?",
    )
    assert pair.asked.audio.parent == data / "audio"
    assert found.annotators == sorted(pair.annotators)


@pytest.mark.parametrize("format", ["dpo", "kto"])
def test_the_other_formats_are_read_as_well(data: Path, tmp_path: Path, format: str) -> None:
    database = open_database(f"sqlite:///{data / 'feedback.db'}")
    write_export(database, format, tmp_path / "export")
    database.close()
    found = read_preferences(tmp_path / "export")
    assert found.counts == {"dpo": {"pair": 1}, "kto": {"thumb": 1}}[format]


def test_a_folder_that_is_none_of_the_app_s_is_refused_and_stays_empty(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no feedback\.db"):
        export(tmp_path, tmp_path / "export")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "feedback.db").write_bytes(b"no database" * 100)
    with pytest.raises(RequestError, match="could not be exported"):
        export(tmp_path, tmp_path / "export")
