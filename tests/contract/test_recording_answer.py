"""The model's JSON object of an answer about a recording goes into the database and comes out as it was."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from storage import open_database
from storage.annotation.recording_answers import RecordingAnswers
from storage.annotation.recordings import Recordings
from storage.database import schema
from usam.schema.answer import Finish, ModelInfo, Turn
from usam.schema.recording_answer import RecordingAnswer, SpanAnswer, SpanUsed, Way

ANSWER = RecordingAnswer(
    text="Birds in a wood.",
    question="What is it about?",
    task="qa",
    way="span by span",
    leans_on=(SpanUsed(20.0, 40.0, 0.5), SpanUsed(0.0, 20.0, 0.25)),
    span_answers=(SpanAnswer(20.0, 40.0, "birds"),),
    duration=60.0,
    tokens=900,
    context=512,
    encode_s=1.5,
    answer_s=2.5,
    model=ModelInfo("mini", "f00d", "nf4", "cpu", 1_000, 300.5, "no GPU", "another"),
    seed=2**40,
    temperature=0.5,
    finish="length",
    history=(Turn("What is heard?", "A bird."),),
)


def test_an_answer_about_a_recording_comes_back(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'feedback.db'}")
    talk = Recordings(database).open("me", "a" * 64, "transcribe", "f", name="t", path="/t").id
    answers = RecordingAnswers(database)
    given = [replace(ANSWER, way=way, finish=end) for way in get_args(Way) for end in get_args(Finish)]
    for answer in given:
        answers.add(talk, "me", answer.to_json())
    kept = [stored.record for stored in answers.of(talk, "me")]
    assert kept == [json.loads(json.dumps(answer.to_json())) for answer in given[::-1]]
    database.close()


def test_every_choice_fits_its_column() -> None:
    """SQLite would not mind a longer text, PostgreSQL would."""
    columns: Any = schema.RecordingAnswer.__table__.columns
    for name, choices in (("way", Way), ("finish", Finish)):
        assert max(map(len, get_args(choices))) <= columns[name].type.length
