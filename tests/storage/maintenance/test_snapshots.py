"""Snapshots on storage that outlives the machine: whole, and back where the database is missing."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import Database, Feedback, StorageError, open_database
from storage.database.schema import now
from storage.errors import NotFoundError
from storage.maintenance.scheduler import MaintenanceScheduler
from storage.maintenance.snapshots import KEPT, Snapshots

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def bucket(tmp_path: Path) -> Snapshots:
    (tmp_path / "bucket").mkdir()
    return Snapshots(tmp_path / "bucket")


@pytest.fixture
def clip(tmp_path: Path) -> str:
    file = tmp_path / "clip.wav"
    file.write_bytes(b"RIFF and so on")
    return str(file)


class Clock:
    """What snapshots take the time from. It stands still, a minute back, but for `tick`."""

    def __init__(self) -> None:
        self.time = now().replace(microsecond=0) - timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.time

    def tick(self, database: Database) -> None:
        """A second passes since the database was written to; names and file times are compared in seconds."""
        file = database.sqlite_file()
        for written in (file, file.with_name(f"{file.name}-wal")):
            if written.exists():
                os.utime(written, 2 * (self.time.timestamp(),))
        self.time += timedelta(seconds=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("storage.maintenance.snapshots.now", clock)
    return clock


def lose(database: Database) -> None:
    """What a restart on another machine leaves of the data folder: nothing."""
    database.close()
    shutil.rmtree(database.folder)


def files(bucket: Snapshots) -> list[str]:
    return sorted(str(file.relative_to(bucket.folder)) for file in bucket.folder.rglob("*") if file.is_file())


def test_what_is_lost_comes_back_with_its_audio(
    feedback: Feedback, make_record: Make, bucket: Snapshots, clip: str, url: str
) -> None:
    answer = feedback.record_answer(make_record(), annotator="me", audio_path=clip)
    feedback.rate(answer, "me", comment="kept")
    assert bucket.save(feedback.database) is not None
    lose(feedback.database)
    assert bucket.bring_back(url) is not None
    again = Feedback(open_database(url))
    rating, audio = again.rating(answer, "me"), again.kept_audio(answer)
    assert rating is not None
    assert rating.comment == "kept"
    assert audio is not None
    assert audio.read_bytes() == Path(clip).read_bytes()
    again.database.close()


def test_a_database_that_is_there_is_left_alone(
    feedback: Feedback, make_record: Make, bucket: Snapshots, url: str
) -> None:
    bucket.save(feedback.database)
    since = feedback.record_answer(make_record(), annotator="me")
    assert bucket.bring_back(url) is None
    assert feedback.answer(since)


def test_an_empty_bucket_is_a_first_start(bucket: Snapshots, url: str) -> None:
    assert bucket.bring_back(url) is None
    open_database(url).close()


def test_only_what_changed_is_saved_and_the_oldest_go(
    feedback: Feedback, clock: Clock, make_record: Make, bucket: Snapshots
) -> None:
    for _ in range(KEPT + 1):
        feedback.record_answer(make_record(), annotator="me")
        clock.tick(feedback.database)
        assert bucket.save(feedback.database) is not None
        assert bucket.save(feedback.database) is None
    assert len(files(bucket)) == KEPT


def test_audio_that_somebody_deleted_goes(
    feedback: Feedback, make_record: Make, bucket: Snapshots, clip: str
) -> None:
    feedback.record_answer(make_record(clip="mine"), annotator="me", audio_path=clip)
    feedback.record_answer(make_record(clip="yours"), annotator="you", audio_path=clip)
    bucket.save(feedback.database)
    assert len([name for name in files(bucket) if name.startswith("audio/")]) == 2
    feedback.forget(annotator="me")
    bucket.save(feedback.database)
    assert len([name for name in files(bucket) if name.startswith("audio/")]) == 1


@pytest.mark.parametrize("spoil", ["half", "changed"])
def test_a_damaged_snapshot_gives_way_to_the_one_before(
    feedback: Feedback, clock: Clock, make_record: Make, bucket: Snapshots, url: str, spoil: str
) -> None:
    early = feedback.record_answer(make_record(), annotator="me")
    clock.tick(feedback.database)
    first = bucket.save(feedback.database)
    late = feedback.record_answer(make_record(), annotator="me")
    clock.tick(feedback.database)
    newest = bucket.save(feedback.database)
    assert first is not None
    assert newest is not None
    content = newest.read_bytes()
    newest.write_bytes(content[: len(content) // 2] if spoil == "half" else content.replace(b"dog", b"cat"))
    lose(feedback.database)
    assert bucket.bring_back(url) == first
    again = Feedback(open_database(url))
    assert again.answer(early)
    with pytest.raises(NotFoundError):
        again.answer(late)
    again.database.close()


def test_without_a_whole_one_nothing_starts_empty(feedback: Feedback, bucket: Snapshots, url: str) -> None:
    snapshot = bucket.save(feedback.database)
    assert snapshot is not None
    os.truncate(snapshot, 100)
    lose(feedback.database)
    with pytest.raises(StorageError, match="is complete"):
        bucket.bring_back(url)
    assert not feedback.database.sqlite_file().exists()


def test_a_folder_that_is_not_mounted_is_reported(database: Database, url: str, tmp_path: Path) -> None:
    missing = Snapshots(tmp_path / "missing")
    with pytest.raises(StorageError, match="Mount or create it"):
        missing.bring_back(url)
    with pytest.raises(StorageError, match="Mount or create it"):
        missing.save(database)


def test_snapshots_are_for_sqlite(bucket: Snapshots) -> None:
    with pytest.raises(StorageError, match="SQLite"):
        bucket.bring_back("postgresql+psycopg://me@host/feedback")


SLOWLY = """
import shutil, sys, time
from pathlib import Path
from storage import open_database
from storage.maintenance import snapshots

def slowly(source, target):
    content = Path(source).read_bytes()
    with open(target, "wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        print("half", flush=True)
        time.sleep(60)

shutil.copyfile = slowly
kept = snapshots.Snapshots(Path(sys.argv[2]))
if sys.argv[3] == "save":
    kept.save(open_database(sys.argv[1]))
else:
    kept.bring_back(sys.argv[1])
"""


def killed_half_way(doing: str, url: str, bucket: Snapshots) -> None:
    """Run it in a process of its own that ends, as by a power cut, when half of the copy is written."""
    with subprocess.Popen(
        [sys.executable, "-c", SLOWLY, url, str(bucket.folder), doing], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)


def test_a_kill_while_one_is_written_leaves_the_one_before(
    feedback: Feedback, clock: Clock, make_record: Make, bucket: Snapshots, url: str
) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    clock.tick(feedback.database)
    first = bucket.save(feedback.database)
    feedback.rate(answer, "me", thumb=1)
    killed_half_way("save", url, bucket)
    assert len(files(bucket)) == 2, "the whole one and the half"
    clock.tick(feedback.database)
    second = bucket.save(feedback.database)
    assert first is not None
    assert second is not None
    assert files(bucket) == sorted([first.name, second.name]), "the half is cleared away"
    lose(feedback.database)
    assert bucket.bring_back(url) == second


def test_a_kill_while_it_comes_back_is_made_good_by_the_next_start(
    feedback: Feedback, make_record: Make, bucket: Snapshots, url: str
) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    bucket.save(feedback.database)
    lose(feedback.database)
    killed_half_way("bring_back", url, bucket)
    assert bucket.bring_back(url) is not None
    again = Feedback(open_database(url))
    assert again.answer(answer)
    again.database.close()


def test_the_scheduler_saves(feedback: Feedback, make_record: Make, bucket: Snapshots) -> None:
    feedback.record_answer(make_record(), annotator="me")
    MaintenanceScheduler(feedback.database, snapshots=bucket).run()
    assert len(files(bucket)) == 1
