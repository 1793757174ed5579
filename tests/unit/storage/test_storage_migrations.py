"""A database of every earlier version opens with all that was in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

from storage import Feedback, open_database
from storage.queue import Queue
from storage.records import answer_columns

Make = Callable[..., dict[str, Any]]

ANSWER, RATING = UUID(int=1), UUID(int=2)
THEN = "2026-01-02 03:04:05.000000"


def made_by(version: str, url: str) -> Engine:
    """An empty database as that version of the app left it."""
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    return engine


def insert(engine: Engine, table: str, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def fill(engine: Engine, record: dict[str, Any]) -> None:
    """One clip, answer, person, and rating that was changed once, in the columns of version 0001."""
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


def test_from_the_first_version_everything_is_kept_and_can_be_changed(url: str, make_record: Make) -> None:
    record = make_record()
    engine = made_by("0001", url)
    fill(engine, record)
    engine.dispose()

    database = open_database(url)
    feedback = Feedback(database)
    stored = feedback.answer(str(ANSWER))
    assert {key: stored[key] for key in record} == record
    rating = feedback.rating(str(ANSWER), "me")
    assert rating is not None
    assert (rating.thumb, rating.score, rating.correction) == (1, 4, "two dogs")
    assert (rating.dimensions, rating.flags) == ({}, ())
    assert Queue(feedback).item(str(ANSWER), "you").dominant_expert == "speech", "measured from its trace"
    assert [revision.thumb for revision in feedback.history(str(ANSWER), "me")] == [-1, 1]
    before = feedback.undo(str(ANSWER), "me")
    assert before is not None
    assert before.thumb == -1
    changed = feedback.rate(str(ANSWER), "me", dimensions={"correctness": 2}, flags=["unsafe"])
    assert (changed.dimensions, changed.flags) == ({"correctness": 2}, ("unsafe",))
    database.close()


@pytest.mark.parametrize("version", ["0001", "0002", "0003", "0004", "0006", "0007"])
def test_an_empty_database_of_an_earlier_version_opens(version: str, url: str, make_record: Make) -> None:
    made_by(version, url).dispose()
    database = open_database(url)
    feedback = Feedback(database)
    feedback.rate(feedback.record_answer(make_record(), annotator="me"), "me", thumb=1)
    database.close()
