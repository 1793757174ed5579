"""A database of every earlier version opens with all that was in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import Feedback, open_database
from storage.annotation.queue import Queue
from tests.storage.versions import ANSWER, VERSIONS, everything_works, fill, made_by

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'feedback.db'}"


def test_from_the_first_version_everything_is_kept_and_can_be_changed(url: str, make_record: Make) -> None:
    record = make_record()
    engine = made_by("0001", url)
    fill(engine, "0001", record)
    engine.dispose()

    database = open_database(url)
    feedback = Feedback(database)
    stored = feedback.answer(str(ANSWER))
    assert {key: stored[key] for key in record} == record
    rating = feedback.rating(str(ANSWER), "me")
    assert rating is not None
    assert (rating.thumb, rating.score, rating.correction) == (1, 4, "two dogs")
    assert (rating.dimensions, rating.flags) == ({}, ())
    assert Queue(feedback.database).item(str(ANSWER), "you").dominant_expert == "speech", (
        "measured from its trace"
    )
    assert [revision.thumb for revision in feedback.history(str(ANSWER), "me")] == [-1, 1]
    before = feedback.undo(str(ANSWER), "me")
    assert before is not None
    assert before.thumb == -1
    changed = feedback.rate(str(ANSWER), "me", dimensions={"correctness": 2}, flags=["unsafe"])
    assert (changed.dimensions, changed.flags) == ({"correctness": 2}, ("unsafe",))
    database.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_database_of_an_earlier_version_opens(version: str, url: str, make_record: Make) -> None:
    made_by(version, url).dispose()
    database = open_database(url)
    feedback = Feedback(database)
    feedback.rate(feedback.record_answer(make_record(), annotator="me"), "me", thumb=1)
    database.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_works_on_what_an_earlier_version_left(version: str, url: str, make_record: Make) -> None:
    engine = made_by(version, url)
    fill(engine, version, make_record())
    engine.dispose()
    everything_works(url)
