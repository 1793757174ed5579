"""Databases as earlier versions of the app left them, with something of everything in them."""

import json
from typing import Any
from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text

from storage import Feedback, open_database
from storage.analysis.redundancy import flag_precision
from storage.annotation.gold import Gold
from storage.annotation.project_queue import ProjectQueue
from storage.annotation.projects import Projects
from storage.annotation.queue import Queue
from storage.annotation.recording_answers import RecordingAnswers
from storage.annotation.recordings import Recordings
from storage.annotation.repeats import Repeats
from storage.annotation.spans import Spans
from storage.annotation.token_verdicts import TokenVerdicts
from storage.answers.records import answer_columns
from storage.answers.trace_statistics import trace_statistics
from storage.ratings.recording_ratings import RecordingRatings

VERSIONS = (
    "0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012",
    "0013", "0014", "0015",
)  # fmt: skip
ANSWER, RATING, SPAN = UUID(int=1), UUID(int=2), UUID(int=3)
THEN = "2026-01-02 03:04:05.000000"
RECORDING_ANSWER: dict[str, Any] = {
    "answer": "Birds in a wood.",
    "question": "What is it about?",
    "task": "qa",
    "way": "span by span",
    "leans_on": [{"start": 20.0, "end": 40.0, "gain": 0.5}],
    "span_answers": [{"start": 20.0, "end": 40.0, "text": "birds"}],
    "duration": 60.0,
    "tokens": 900,
    "context": 512,
    "encode_s": 1.5,
    "answer_s": 2.5,
    "model": {
        "preset": "mini",
        "fingerprint": "f00d",
        "quantization": "nf4",
        "device": "cpu",
        "parameters": 1_000,
        "memory_mb": 300.5,
        "reason": "no GPU",
        "llm": None,
    },
    "seed": 7,
    "temperature": 0.5,
    "finish": "end",
    "history": [],
}
"""About a whole recording, as the model reports it."""


def made_by(version: str, url: str) -> Engine:
    """An empty database as that version of the app left it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(_config(connection), version)
    return engine


def take_back(version: str, engine: Engine) -> None:
    """Bring a database of this version of the app back to an earlier one."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), version)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("recursive_version_locations", "true")
    config.attributes["connection"] = connection
    return config


def insert(engine: Engine, table: str, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def fill(engine: Engine, version: str, record: dict[str, Any]) -> None:
    """One clip, answer, person, and rating that was changed once, in the columns of version 0001; from 0003
    on also what was measured of the answer, and a second person who skipped it; from 0005 on a span."""
    columns = {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in answer_columns(record).items()
    }
    insert(engine, "clips", sha256=columns["clip_sha256"], seconds=3.0, created_at=THEN)
    insert(engine, "annotators", id=1, public_id="me", created_at=THEN)
    insert(engine, "answers", id=ANSWER.hex, annotator_id=1, audio_kept=False, created_at=THEN, **columns)
    said = {"thumb": 1, "score": 4, "correction": "two dogs", "comment": None, "withdrawn": False}
    insert(
        engine,
        "ratings",
        id=RATING.hex,
        answer_id=ANSWER.hex,
        annotator_id=1,
        revision=2,
        created_at=THEN,
        updated_at=THEN,
        **said,
    )
    for number, thumb in ((1, -1), (2, 1)):
        revision = {**said, "thumb": thumb}
        insert(engine, "rating_revisions", rating_id=RATING.hex, number=number, created_at=THEN, **revision)
    if version >= "0003":
        insert(engine, "internals", answer_id=ANSWER.hex, **trace_statistics(record))
        insert(engine, "annotators", id=2, public_id="skipper", created_at=THEN)
        insert(
            engine,
            "marks",
            annotator_id=2,
            answer_id=ANSWER.hex,
            state="skipped",
            updated_at=THEN,
            draft=None,
        )
    if version >= "0005":
        marked = {"start_s": 0.5, "end_s": 1.5, "label": "missed", "comment": None, "withdrawn": False}
        insert(
            engine,
            "spans",
            id=SPAN.hex,
            answer_id=ANSWER.hex,
            annotator_id=1,
            revision=1,
            created_at=THEN,
            updated_at=THEN,
            **marked,
        )
        insert(engine, "span_revisions", span_id=SPAN.hex, number=1, created_at=THEN, **marked)
    if not engine.url.drivername.startswith("sqlite"):  # numbers given by hand do not move its counter
        with engine.begin() as connection:
            connection.execute(text("SELECT setval('annotators_id_seq', 2)"))


def everything_works(url: str) -> None:
    """Open the database, see that what `fill` put there is there, and do what this version can do with it."""
    database = open_database(url)
    feedback, answer = Feedback(database), str(ANSWER)
    rating = feedback.rating(answer, "me")
    assert rating is not None
    assert (rating.thumb, rating.score, rating.correction, rating.revision) == (1, 4, "two dogs", 2)
    assert [revision.thumb for revision in feedback.history(answer, "me")] == [-1, 1]
    earlier = [span.id for span in Spans(feedback.database).of(answer, "me")]
    assert earlier in ([], [str(SPAN)])
    span = Spans(feedback.database).mark(answer, "me", 1.0, 2.0, "missed")
    Spans(feedback.database).change(span.id, "me", 1.0, 3.0, "wrong", "no")
    assert [state.end for state in Spans(feedback.database).history(span.id, "me")] == [2.0, 3.0]
    TokenVerdicts(feedback.database).judge(answer, "me", {0: "mattered", 1: "unclear"})
    TokenVerdicts(feedback.database).judge(answer, "me", {1: "did_not"})
    assert TokenVerdicts(feedback.database).of(answer, "me") == {0: "mattered", 1: "did_not"}
    repeats = Repeats(feedback.database)
    for thumb in (-1, 1):
        repeats.rate_again(answer, "me", thumb=thumb, score=3)
    assert [(one.judged, one.same, one.close) for one in repeats.self_consistency("me")] == [
        ("thumb", 1, 1),
        ("score", 0, 1),
    ]
    assert repeats.due("me", 5) == []
    assert Queue(feedback.database, ratings_wanted=1).upcoming("new", audio_only=False) == []
    with database.read() as session:
        assert flag_precision(session)["tokens"].tolist() == [1, 1]
    assert feedback.token_ids(answer) == (), "no earlier version stored them"
    projects = Projects(database)
    project = projects.make("birds", wanted=1)
    projects.add(project.name, answer, gold=Gold(thumb=1))
    assert ProjectQueue(database, 1, key=project.key).upcoming("new", audio_only=False) == [answer]
    assert projects.people(project.name)[0].gold.agreed == 1
    later = feedback.record_answer(feedback.answer(answer), annotator="you", token_ids=(5, 7))
    assert feedback.token_ids(later) == (5, 7)
    recordings = Recordings(database)
    talk = recordings.open("me", "a" * 64, "transcribe", "f00d", name="talk.mp3", path="")
    recordings.add_part(talk.id, 0, 0.0, 20.0, 60.0, [{"kind": "speech"}])
    recordings.edit(talk.id, "me", 0, [{"kind": "split", "at": 4.0}])
    assert recordings.parts(talk.id, "me")[0].segments == [{"kind": "speech"}]
    summary = RecordingAnswers(database).add(talk.id, "me", RECORDING_ANSWER)
    RecordingRatings(database).rate(summary, "me", thumb=1, flags=["unsafe"])
    assert RecordingRatings(database).withdraw(summary, "me")
    assert RecordingRatings(database).rate(summary, "me", score=4).number == 3
    assert [one.record for one in RecordingAnswers(database).of(talk.id, "me")] == [RECORDING_ANSWER]
    assert Queue(database).upcoming("new", audio_only=False, page="one") == [later]
    gone = feedback.forget(annotator="me")
    assert gone.recordings == 1
    assert (gone.answers, gone.ratings, gone.spans, gone.tokens) == (1, 2, 1 + len(earlier), 2)
    database.close()
