"""Timed backups, and tasks that fail."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import Database, Feedback, StorageError, only_process
from storage.maintenance.deleted_audio import remove_deleted_audio
from storage.maintenance.scheduler import KEPT_BACKUPS, MaintenanceScheduler
from storage.maintenance.snapshots import Snapshots

Make = Callable[..., dict[str, Any]]


def test_a_backup_is_made_when_due_and_the_oldest_go(
    feedback: Feedback, make_record: Make, database: Database
) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    scheduler = MaintenanceScheduler(database, backup_hours=1)
    scheduler.run()
    scheduler.run()
    (first,) = scheduler.folder.iterdir()
    for n in range(KEPT_BACKUPS + 2):
        earlier = scheduler.folder / f"feedback-2020010{n}-000000.db"
        earlier.write_bytes(b"old")
        os.utime(earlier, (0, 0))
    an_hour_ago = time.time() - 3601
    os.utime(first, (an_hour_ago, an_hour_ago))
    scheduler.run()
    names = sorted(file.name for file in scheduler.folder.iterdir())
    assert len(names) == KEPT_BACKUPS
    assert first.name in names
    feedback.forget(annotator="me")
    database.restore(scheduler.folder / names[-1])
    assert feedback.answer(answer)


def test_without_settings_nothing_happens(database: Database, feedback: Feedback, make_record: Make) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    MaintenanceScheduler(database).run()
    assert feedback.answer(answer)
    assert not MaintenanceScheduler(database).folder.exists()


@pytest.mark.parametrize("failure", [StorageError("The disk is full."), RuntimeError("unforeseen")])
def test_a_task_that_fails_stops_no_other_and_is_tried_again(
    feedback: Feedback,
    make_record: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
) -> None:
    feedback.record_answer(make_record(), annotator="me")
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    scheduler = MaintenanceScheduler(feedback.database, backup_hours=1, snapshots=Snapshots(bucket))
    backup, failing = Database.backup, [True]

    def backup_that_fails_first(database: Database, file: Path) -> Path:
        if failing and file.parent == scheduler.folder:
            raise failure
        return backup(database, file)

    monkeypatch.setattr(Database, "backup", backup_that_fails_first)
    scheduler.run()
    assert list(bucket.glob("feedback-*.db"))
    assert list(scheduler.failures) == ["backup"]
    failing.clear()
    scheduler.run()
    assert list(scheduler.folder.glob("feedback-*.db"))
    assert not scheduler.failures


def test_backups_of_a_server_are_refused_at_start(database: Database, tmp_path: Path) -> None:
    server = Database(database.engine, database.folder, None)
    with pytest.raises(StorageError, match="USAM_BACKUP_HOURS"):
        MaintenanceScheduler(server, backup_hours=1)
    with pytest.raises(StorageError, match="USAM_SNAPSHOTS"):
        MaintenanceScheduler(server, snapshots=Snapshots(tmp_path))
    MaintenanceScheduler(server, retention_days=30)


def test_of_two_processes_one_does_what_is_due(database: Database) -> None:
    scheduler = MaintenanceScheduler(database, backup_hours=1)
    with only_process(database, "backup"):
        scheduler.run()
    assert not scheduler.folder.exists()
    scheduler.run()
    assert scheduler.folder.exists()


def test_audio_that_another_machine_deleted_goes_here_too(
    database: Database, feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    for person in ("here", "gone"):
        feedback.record_answer(make_record(clip=person), annotator=person, audio_path=str(clip))
    kept, deleted = sorted(
        (database.folder / "audio").iterdir(), key=lambda file: file.name != here_of(feedback)
    )
    # The other machine has no such file; this one's is as it was.
    copy = deleted.read_bytes()
    feedback.forget(annotator="gone")
    deleted.write_bytes(copy)
    assert remove_deleted_audio(database) == 0, "it may be of an answer that is being recorded"
    for file in (kept, deleted):
        os.utime(file, (0, 0))
    assert remove_deleted_audio(database) == 1
    assert list((database.folder / "audio").iterdir()) == [kept]


def here_of(feedback: Feedback) -> str:
    """The name of the audio file of the only answer by `here`."""
    audio = feedback.kept_audio(feedback.answers_of("here")[0].answer_id)
    assert audio is not None
    return audio.name
