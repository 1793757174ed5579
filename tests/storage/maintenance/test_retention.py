"""Retention: what is too old goes with all about it, what is not stays."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from storage import Database, Feedback, StorageError
from storage.__main__ import main
from storage.annotation.imports import NewItem, ProjectImports
from storage.annotation.project_queue import ProjectQueue
from storage.annotation.projects import Projects
from storage.annotation.queue import Queue
from storage.annotation.recordings import Recordings
from storage.database.schema import Annotator, Answer, Base, ProjectImport, Recording, now
from storage.errors import NotFoundError
from storage.maintenance.retention import prune

Make = Callable[..., dict[str, Any]]


def aged(database: Database, days: float, *answers: str) -> None:
    """Make everybody, these answers, recordings, and what waits to be imported, that old."""
    then = now() - timedelta(days=days)
    with database.write() as session:
        session.execute(update(Annotator).values(created_at=then))
        for answer in answers:
            session.execute(update(Answer).where(Answer.id == UUID(answer)).values(created_at=then))
        session.execute(update(ProjectImport).values(created_at=then))
        session.execute(update(Recording).values(updated_at=then))


@pytest.fixture
def old_and_new(feedback: Feedback, make_record: Make, tmp_path: Path) -> tuple[str, str]:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    old = feedback.record_answer(make_record(clip="old"), annotator="gone", audio_path=str(clip))
    new = feedback.record_answer(make_record(clip="new"), annotator="here", audio_path=str(clip))
    feedback.rate(old, "here", thumb=1)
    feedback.rate(new, "here", thumb=1)
    Queue(feedback.database).skip(old, "gone")
    projects = Projects(feedback.database)
    project = projects.make("birds", wanted=2, members={"here": "Ben", "gone": "Anna"})
    for answer in (old, new):
        projects.add(project.name, answer)
    ProjectQueue(feedback.database, 2, key=project.key).upcoming("gone", page="one")
    projects.change(project.name, "", 2, {"here": "Ben"})
    ProjectImports(feedback.database).add(project.name, [NewItem(clip, "clip.wav", "qa", "What?")])
    recordings = Recordings(feedback.database)
    talk = recordings.open("here", "a" * 64, "transcribe", "f00d", name="talk.mp3", path="")
    recordings.add_part(talk.id, 0, 0.0, 20.0, 60.0, [{"kind": "speech"}])
    recordings.edit(talk.id, "here", 0, [{"kind": "split", "at": 4.0}])
    aged(feedback.database, 31, old)
    return old, new


def test_what_is_too_old_goes_with_all_about_it(
    feedback: Feedback, old_and_new: tuple[str, str], database: Database
) -> None:
    old, new = old_and_new
    gone = prune(database, 30)
    assert (gone.answers, gone.ratings, gone.clips, gone.files) == (1, 1, 1, 1)
    with pytest.raises(NotFoundError):
        feedback.answer(old)
    assert feedback.rating(new, "here") is not None
    assert len(list((database.folder / "audio").iterdir())) == 1
    with database.read() as session:
        assert session.scalars(select(Annotator.public_id)).all() == ["here"], "who left nothing is unknown"
        left = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }
    assert left == {
        "clips": 1, "annotators": 1, "answers": 1, "internals": 1, "ratings": 1, "rating_revisions": 1,
        "comparisons": 0, "marks": 0, "spans": 0, "span_revisions": 0, "token_verdicts": 0, "repeats": 0,
        "disputes": 0, "projects": 1, "project_members": 1, "project_items": 1, "project_imports": 0,
        "recordings": 0, "recording_parts": 0, "segment_edits": 0,
        "recording_answers": 0, "recording_ratings": 0,
        "leases": 1,  # for some minutes more
        "secrets": 0, "logins": 0, "request_times": 0, "queue_places": 0, "prepared_files": 0,
    }  # fmt: skip
    assert prune(database, 30).answers == 0


@pytest.mark.parametrize("days", [0, -1, float("nan"), 1e9])
def test_impossible_ages_delete_nothing(
    feedback: Feedback, old_and_new: tuple[str, str], days: float
) -> None:
    with pytest.raises(StorageError):
        prune(feedback.database, days)
    assert feedback.answer(old_and_new[0])


def test_the_command_takes_its_age_from_the_setting(
    feedback: Feedback,
    old_and_new: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    url: str,
) -> None:
    monkeypatch.setenv("USAM_DATABASE_URL", url)
    monkeypatch.delenv("USAM_RETENTION_DAYS", raising=False)
    assert main(["prune"]) == 2
    assert "USAM_RETENTION_DAYS" in capsys.readouterr().err
    monkeypatch.setenv("USAM_RETENTION_DAYS", "40")
    assert main(["prune"]) == 0
    assert feedback.answer(old_and_new[0])
    assert main(["prune", "--days", "30"]) == 0
    assert (
        capsys.readouterr().out.count(
            "deleted 1 answer with its trace, 1 rating, 0 comparisons, 0 spans, "
            "0 judged tokens, 1 clip, 1 audio file, 1 recording"
        )
        == 1
    )
    with pytest.raises(NotFoundError):
        feedback.answer(old_and_new[0])


def test_holdings_are_what_forgetting_takes(feedback: Feedback, make_record: Make, tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    one = feedback.record_answer(make_record("one"), annotator="me", audio_path=str(clip))
    two = feedback.record_answer(make_record("two"), annotator="me")
    feedback.rate(one, "me", thumb=1)
    feedback.rate(two, "me", thumb=1)
    feedback.withdraw(two, "me")
    feedback.compare(one, two, "me", "a")
    held = feedback.holdings("me")
    assert (held.answers, held.ratings, held.comparisons, held.audio) == (2, 1, 1, 1)
    feedback.forget(annotator="me")
    empty = feedback.holdings("me")
    assert (empty.answers, empty.ratings, empty.comparisons, empty.audio) == (0, 0, 0, 0)
