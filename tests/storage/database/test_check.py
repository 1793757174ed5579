"""A damaged database is found by looking at it."""

from collections.abc import Callable
from typing import Any

import pytest

from storage import Database, Feedback, check_readable
from storage.database import check
from storage.errors import CorruptError, SchemaError

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def filled(feedback: Feedback, make_record: Make, database: Database) -> Database:
    for number in range(40):
        answer = feedback.record_answer(
            make_record(f"answer {number} " + "x" * 2000, seed=number), annotator="me"
        )
        feedback.rate(answer, "me", thumb=1)
    database.truncate_log()  # from now on the file is what counts
    return database


def overwrite_the_middle(database: Database) -> None:
    """A third of the pages, while the app has the file open and part of it in memory."""
    assert database.file is not None
    size = database.file.stat().st_size
    with database.file.open("r+b") as content:
        content.seek(size // 3)
        content.write(b"\xa5" * (size // 3))


def test_pages_overwritten_in_the_middle_are_found(filled: Database) -> None:
    check_readable(filled)
    overwrite_the_middle(filled)
    with pytest.raises(CorruptError):
        check_readable(filled)


def test_of_a_large_database_the_ends_of_each_table_are_read(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "READ_WHOLE", 0)
    check_readable(filled)
    assert filled.file is not None
    with filled.file.open("r+b") as content:
        content.seek(8192)
        content.write(b"\xa5" * (filled.file.stat().st_size - 8192))
    with pytest.raises(CorruptError):
        check_readable(filled)


def test_a_table_that_is_gone_is_found(filled: Database) -> None:
    with filled.write() as session:
        session.connection().exec_driver_sql("DROP TABLE marks")
    with pytest.raises(SchemaError):
        check_readable(filled)
