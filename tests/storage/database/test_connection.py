"""What the disk, other processes and old files may do to the database, and what must hold then."""

import ctypes
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, event

import storage
from storage import Database, Feedback, open_database
from storage.database.connection import data_folder, migrate
from storage.database.schema import Base
from storage.errors import (
    CorruptError,
    DiskFullError,
    LockedError,
    NotFoundError,
    ReadOnlyError,
    RecordError,
    SchemaError,
    StorageError,
)

Make = Callable[..., dict[str, Any]]
REPOSITORY = Path(storage.__file__).parents[1]
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24


def python(code: str, *arguments: str, cwd: Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def not_of_search(name: str | None, *_: object) -> bool:
    return "_words" not in (name or "")


def definitions(file: Path) -> dict[str, list[str]]:
    """Columns, constraints and indexes of every table as SQL, in no order; but for the search index."""
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%' AND name NOT LIKE '%_words%'"
        )
        # At line ends, and at commas outside parentheses: columns that were added later share a line.
        return {
            name: sorted(filter(None, re.split(r"[\s,]*\n\s*|,\s+(?![^(]*\))", sql or "")))
            for name, sql in rows
        }


def test_migrations_build_exactly_the_models(database: Database, tmp_path: Path) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": not_of_search}
        )
        assert compare_metadata(context, Base.metadata) == []
    from_models = tmp_path / "models.db"
    engine = create_engine(f"sqlite:///{from_models}")
    Base.metadata.create_all(engine)
    engine.dispose()
    assert database.file is not None
    assert definitions(database.file) == definitions(from_models)


def test_migrating_again_changes_nothing(feedback: Feedback, make_record: Make, url: str) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    migrate(feedback.database.engine)
    again = open_database(url)
    assert Feedback(again).answer(answer)["answer"] == "a dog barks"
    again.close()


@pytest.mark.slow
def test_processes_and_threads_that_start_at_once_all_succeed(url: str, tmp_path: Path) -> None:
    code = (
        "import sys; from storage import open_database, Feedback\n"
        "sys.stdin.readline(); Feedback(open_database(sys.argv[1])).answers_of('me'); print('ready')"
    )
    racers = [python(code, url, cwd=tmp_path, stdin=subprocess.PIPE) for _ in range(3)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert [racer.communicate(timeout=60) for racer in racers] == [("ready\n", "")] * 3
    other = [f"sqlite:///{tmp_path}/{name}/feedback.db" for name in "aabbcc"]
    with ThreadPoolExecutor(6) as pool:
        for opened in pool.map(open_database, other):
            opened.close()


@pytest.mark.slow
def test_kill_in_the_middle_of_writes_loses_nothing_acknowledged(
    url: str, tmp_path: Path, make_record: Make
) -> None:
    code = (
        "import json, sys; from storage import open_database, Feedback\n"
        "feedback = Feedback(open_database(sys.argv[1])); record = json.loads(sys.argv[2])\n"
        "while True:\n"
        "    answer = feedback.record_answer(record, annotator='me')\n"
        "    feedback.rate(answer, 'me', thumb=1, comment=answer)\n"
        "    print(answer, flush=True)\n"
    )
    writer = python(code, url, json.dumps(make_record()), cwd=tmp_path)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(150)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [line.strip() for line in writer.communicate()[0].splitlines() if len(line) == 36]
    survivor = open_database(url)
    feedback = Feedback(survivor)
    for answer in acknowledged:
        rating = feedback.rating(answer, "me")
        assert rating is not None
        assert rating.comment == answer
        assert len(feedback.history(answer, "me")) == 1
    survivor.close()


def test_commits_reach_the_disk_and_rows_refer_to_rows(database: Database) -> None:
    with database.read() as session:
        connection = session.connection()
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("USAM_DATA", raising=False)
    monkeypatch.delenv("USAM_DATABASE_URL", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert data_folder() == tmp_path / "home/.local/share/usam"
    monkeypatch.setenv("USAM_DATA", str(tmp_path / "50% of ?#:data"))
    opened = open_database()
    assert (opened.folder, opened.file) == (tmp_path / "50% of ?#:data", opened.folder / "feedback.db")
    assert opened.file.exists()
    opened.close()
    monkeypatch.setenv("USAM_DATABASE_URL", f"sqlite:///{tmp_path}/elsewhere/x.db")
    opened = open_database()
    assert (opened.folder, opened.file) == (tmp_path / "elsewhere", tmp_path / "elsewhere/x.db")
    opened.close()
    assert {path.name for path in tmp_path.iterdir()} == {"50% of ?#:data", "elsewhere"}


@pytest.mark.parametrize(
    "bad", ["not a url", "sqlite://", "sqlite:///:memory:", "nosuchdb://localhost/x", "mysql://localhost/x"]
)
def test_unusable_urls_are_refused_in_a_sentence(bad: str) -> None:
    with pytest.raises(StorageError, match=r"^[A-Z].*\.$"):
        open_database(bad)


def test_a_passing_lock_is_waited_for_and_a_lasting_one_reported(url: str, make_record: Make) -> None:
    patient = open_database(url, busy_timeout=0.3)
    assert patient.file is not None
    feedback = Feedback(patient)
    with closing(sqlite3.connect(patient.file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LockedError, match="busy in another program"):
            feedback.record_answer(make_record(), annotator="me")
        assert feedback.answers_of("me") == [], "readers never wait"
        release = threading.Timer(0.1, other.execute, ["COMMIT"])
        release.start()
        feedback.record_answer(make_record(), annotator="me")
        release.join()
    assert len(feedback.answers_of("me")) == 1
    patient.close()


def test_full_disk_is_reported_and_loses_nothing_saved(url: str, make_record: Make) -> None:
    database = open_database(url)
    feedback = Feedback(database)
    saved = feedback.record_answer(make_record(), annotator="me")
    database.close()

    @event.listens_for(database.engine, "connect")
    def little_room(connection: sqlite3.Connection, _: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 2}")

    with pytest.raises(DiskFullError, match="disk is full"):
        feedback.record_answer(make_record("x" * 100_000), annotator="me")
    assert [item.answer_id for item in feedback.answers_of("me")] == [saved]
    feedback.rate(saved, "me", thumb=1)
    database.close()


@pytest.mark.parametrize("existing", [False, True])
def test_read_only_folder_is_reported(existing: bool, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    if existing:
        open_database(f"sqlite:///{folder}/feedback.db").close()
        for file in folder.iterdir():
            file.chmod(0o444)
    folder.chmod(0o555)
    code = (
        "import sys; from storage import open_database, StorageError\n"
        "try: open_database(sys.argv[1])\n"
        "except StorageError as error: print(type(error).__name__, error)\n"
    )

    def mere_mortal() -> None:
        """Root may write anywhere: give that right up."""
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)

    child = python(code, f"sqlite:///{folder}/feedback.db", cwd=tmp_path, preexec_fn=mere_mortal)
    printed, errors = child.communicate(timeout=60)
    folder.chmod(0o755)
    assert printed.startswith(ReadOnlyError.__name__), printed + errors
    assert printed.count("\n") == 1


def test_a_newer_schema_is_left_alone(database: Database, url: str) -> None:
    assert database.file is not None
    with closing(sqlite3.connect(database.file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = database.file.read_bytes()
    with pytest.raises(SchemaError, match="newer version"):
        open_database(url)
    assert database.file.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "feedback.db"
    file.write_text("my holiday pictures, certainly not a database" * 100)
    with pytest.raises(CorruptError):
        open_database(f"sqlite:///{file}")
    assert file.read_text().startswith("my holiday pictures")


def test_database_rules_hold_whoever_writes(database: Database) -> None:
    with pytest.raises(RecordError), database.write() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO clips (sha256, seconds, created_at) VALUES ('short', 1.0, '2026-01-01')"
        )


def test_backup_while_writing_is_consistent_and_restores(
    feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    before = [feedback.record_answer(make_record(f"{n}"), annotator="me") for n in range(20)]
    feedback.rate(before[0], "me", thumb=1)
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.is_set():
            feedback.rate(feedback.record_answer(make_record(), annotator="you"), "you", thumb=-1)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        saved = feedback.database.backup(tmp_path / "saved.db")
    finally:
        stop.set()
        writer.join()
    assert [file.name for file in tmp_path.iterdir() if "saved" in file.name] == ["saved.db"]
    feedback.forget(annotator="me")
    after = feedback.record_answer(make_record(), annotator="them")
    feedback.database.restore(saved)
    assert [item.answer_id for item in feedback.answers_of("me")] == before[::-1]
    assert feedback.rating(before[0], "me") is not None
    with pytest.raises(NotFoundError):
        feedback.answer(after)
    feedback.rate(before[1], "me", thumb=1)


@pytest.fixture
def backup(feedback: Feedback, make_record: Make, tmp_path: Path) -> Path:
    for n in range(30):
        feedback.record_answer(make_record("x" * 2000, clip=str(n)), annotator="old")
    return feedback.database.backup(tmp_path / "backup.db")


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def scribbled(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 200] = b"\xff" * 200
    file.write_bytes(content)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def orphaned(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM clips")


def from_the_future(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize("spoil", [truncated, scribbled, emptied, orphaned, from_the_future])
def test_a_spoilt_backup_is_refused_and_the_current_data_stays(
    feedback: Feedback, backup: Path, make_record: Make, spoil: Callable[[Path], None]
) -> None:
    spoil(backup)
    current = feedback.record_answer(make_record("written since"), annotator="me")
    with pytest.raises(SchemaError if spoil is from_the_future else CorruptError):
        feedback.database.restore(backup)
    assert feedback.answer(current)["answer"] == "written since"
    assert len(feedback.answers_of("old", limit=50)) == 30
    assert {file.name for file in feedback.database.folder.iterdir()} <= {
        f"feedback.db{suffix}" for suffix in ("", "-wal", "-shm", ".lock")
    }


def test_backup_and_restore_name_what_is_wrong(feedback: Feedback, tmp_path: Path) -> None:
    database = feedback.database
    assert database.file is not None
    with pytest.raises(NotFoundError, match="no backup file"):
        database.restore(tmp_path / "missing.db")
    for target in (database.file, tmp_path):
        with pytest.raises(StorageError, match="name another"):
            database.backup(target)
    with pytest.raises(StorageError, match="missing"):
        database.backup(tmp_path / "missing" / "x.db")


@pytest.mark.parametrize("existing", [False, True])
def test_nobody_else_can_read_the_files_in_a_folder_that_others_can_enter(
    existing: bool, tmp_path: Path, make_record: Make
) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    url = f"sqlite:///{folder}/feedback.db"
    if existing:  # as an earlier version left it
        open_database(url).close()
        (folder / "feedback.db").chmod(0o644)
    database = open_database(url)
    Feedback(database).record_answer(make_record(), annotator="me")
    assert {"feedback.db", "feedback.db-wal"} <= {file.name for file in folder.iterdir()}
    for file in folder.glob("feedback.db*"):
        if not file.name.endswith(".lock"):  # empty
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755, "whoever made the folder decides on it"
    database.close()


def test_a_folder_that_the_app_makes_is_its_owner_s_alone(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path}/data/feedback.db").close()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "broken", ["DROP TABLE alembic_version", "UPDATE alembic_version SET version_num = '0004'"]
)
def test_half_a_migration_is_named(database: Database, url: str, broken: str) -> None:
    assert database.file is not None
    with closing(sqlite3.connect(database.file)) as connection, connection:
        connection.execute(broken)
    with pytest.raises(SchemaError, match="update was interrupted"):
        open_database(url)


def test_tables_that_are_gone_are_named(database: Database, feedback: Feedback, make_record: Make) -> None:
    assert database.file is not None
    with closing(sqlite3.connect(database.file)) as connection, connection:
        connection.execute("DROP TABLE internals")
    with pytest.raises(SchemaError, match="Restore a backup"):
        feedback.record_answer(make_record(), annotator="me")
