"""Clips that wait to become items of a project."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from storage import Database, Feedback, now, open_database
from storage.annotation.gold import Gold
from storage.annotation.imports import NewItem, ProjectImports
from storage.annotation.projects import Projects
from storage.answers.uploads import BEING_ADDED, FOLDER, new_path
from storage.errors import NotFoundError

Make = Callable[..., dict[str, Any]]


def clip(name: str, question: str = "What do you hear?", gold: Gold | None = None) -> NewItem:
    return NewItem(Path("/clips") / name, name, "qa", question, gold)


@pytest.fixture
def imports(database: Database, projects: Projects) -> ProjectImports:
    projects.make("birds")
    return ProjectImports(database)


def test_clips_become_items_one_after_another(
    imports: ProjectImports, projects: Projects, feedback: Feedback, make_record: Make
) -> None:
    assert imports.add("birds", [clip("a.wav", gold=Gold(score=4)), clip("b.wav"), clip("c.txt")]).added == 3
    assert projects.progress("birds").waiting == 3
    first = imports.next("birds")
    assert first is not None
    assert (first.source, first.path, first.task) == ("a.wav", "/clips/a.wav", "qa")
    imports.answered(first, feedback.record_answer(make_record(), annotator=None))
    second = imports.next()
    assert second is not None
    imports.failed(second, "This file holds no audio.")
    found = projects.progress("birds")
    assert (found.items, found.gold, found.waiting, found.failed) == (0, 1, 1, 1)
    assert [(item.source, item.error) for item in imports.failures("birds")] == [
        ("b.wav", "This file holds no audio.")
    ]
    assert projects.items("birds")[0].gold == Gold(score=4)


def test_the_same_import_again_goes_on(
    imports: ProjectImports, feedback: Feedback, make_record: Make
) -> None:
    everything = [clip("a.wav"), clip("b.wav"), clip("c.wav"), clip("c.wav")]
    assert imports.add("birds", everything).known == 1
    for number in range(2):
        item = imports.next()
        assert item is not None
        if number:
            imports.failed(item, "no audio")
        else:
            imports.answered(item, feedback.record_answer(make_record(), annotator=None))
    again = imports.add("birds", [*everything, clip("a.wav", "Which animal is it?")])
    assert (again.added, again.known) == (2, 3), "what failed, and another question"
    assert imports.failures("birds") == []


def test_what_a_person_stopped_waits_until_clips_are_added_or_a_person_goes_on(
    imports: ProjectImports, projects: Projects
) -> None:
    imports.stop()
    assert not imports.due(), "there is nothing to stop yet"
    projects.make("fish")
    imports.add("birds", [clip("a.wav")])
    first = imports.next()
    assert imports.due()
    imports.stop()
    again = ProjectImports(open_database(str(imports.database.engine.url)))
    assert (again.due(), again.next(), again.next("birds"), again.waiting()) == (False, None, None, 1)
    assert projects.progress("birds").waiting == 1, "it is shown as waiting"
    again.database.close()
    imports.add("fish", [clip("b.wav")])
    assert imports.next() == first
    imports.stop()
    assert imports.add("fish", [clip("b.wav")]).known == 1
    assert imports.due(), "adding what is there goes on as well"
    imports.stop()
    imports.retry("fish")
    assert imports.next("birds") == first


def test_failures_are_tried_again_or_discarded(imports: ProjectImports, projects: Projects) -> None:
    imports.add("birds", [clip("a.wav")])
    item = imports.next()
    assert item is not None
    imports.failed(item, "no audio")
    assert imports.next() is None
    imports.retry("birds")
    assert imports.next() == item
    imports.discard("birds")
    assert projects.progress("birds").waiting == 0


def test_an_answer_to_a_discarded_clip_is_no_item(
    imports: ProjectImports, projects: Projects, feedback: Feedback, make_record: Make
) -> None:
    imports.add("birds", [clip("a.wav")])
    item = imports.next()
    assert item is not None
    imports.discard("birds")
    with pytest.raises(NotFoundError):
        imports.answered(item, feedback.record_answer(make_record(), annotator=None))
    assert projects.items("birds") == []


def test_uploads_wait_in_the_storage_until_nothing_needs_them(
    imports: ProjectImports, feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    first, second = (tmp_path / "upload" / name for name in ("first.wav", "second.wav"))
    first.parent.mkdir()
    for file in (first, second):
        file.write_bytes(file.name.encode())
    files = imports.database.files
    both = [NewItem(first, "first", "qa", question) for question in ("Which?", "How loud?")]
    assert imports.add_uploads("birds", [*both, NewItem(second, "second", "qa", "Which?")]).added == 3
    assert imports.add_uploads("birds", both).known == 2
    for file in (first, second):
        file.unlink()
    assert len(files.paths(f"{FOLDER}/")) == 2, "one for each file, and none for what is known"
    for _ in both:
        item = imports.next()
        assert item is not None
        waiting = imports.file(item)
        assert waiting is not None
        assert waiting.read_bytes() == b"first.wav"
        assert len(files.paths(f"{FOLDER}/")) == 2, "another question about the first waits"
        imports.answered(item, feedback.record_answer(make_record(), annotator=None))
    assert len(files.paths(f"{FOLDER}/")) == 1
    last = imports.next()
    assert last is not None
    imports.failed(last, "no audio")
    second.write_bytes(b"again")
    imports.add_uploads("birds", [NewItem(second, "second", "qa", "Which?")])
    (kept,) = files.paths(f"{FOLDER}/")
    assert files.read(kept) == b"again", "in the place of what had failed"
    imports.discard("birds")
    assert files.paths(f"{FOLDER}/") == []
    with pytest.raises(NotFoundError):
        imports.add_uploads("fish", [NewItem(second, "second", "qa", "Which?")])
    assert files.paths(f"{FOLDER}/") == []
    assert second.exists(), "the upload itself is not ours to delete"


def test_what_a_dead_process_left_is_deleted_but_not_what_is_being_added(
    imports: ProjectImports, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = tmp_path / "clip.wav"
    upload.write_bytes(b"RIFF")
    bucket = f"memory://{uuid4().hex}"
    here, there = (ProjectImports(open_database(url, storage=bucket)) for _ in range(2))
    there.database.files.local = tmp_path / "another machine"
    monkeypatch.setattr(Database, "served", True)
    here.add_uploads("birds", [NewItem(upload, "clip.wav", "qa", "Which?")])
    item = here.next()
    assert item is not None
    here.database.files.put(new_path(upload), upload)  # its row is about to be written, or never will be
    copies = [one.file(item) for one in (here, there)]
    there.clean()
    assert len(here.database.files.paths(f"{FOLDER}/")) == 2
    later = now() + BEING_ADDED
    monkeypatch.setattr("storage.database.schema.now", lambda: later)
    there.clean()
    assert here.database.files.paths(f"{FOLDER}/") == [item.path]
    here.discard("birds")
    there.clean()
    assert not any(copy.exists() for copy in copies if copy), "nor does a copy stay on any machine"


def test_what_is_older_than_is_kept_goes_with_its_upload(
    imports: ProjectImports, feedback: Feedback, database: Database, tmp_path: Path
) -> None:
    own = tmp_path / "own.wav"
    earlier = database.folder / "imports" / "x" / "0.wav"  # where an earlier version kept uploads
    earlier.parent.mkdir(parents=True)
    for file in (own, earlier):
        file.write_bytes(b"RIFF")
    imports.add("birds", [NewItem(file, file.name, "qa", "What?") for file in (own, earlier)])
    imports.add_uploads("birds", [NewItem(own, "uploaded", "qa", "What?")])
    feedback.forget(before=now() - timedelta(days=1))
    assert imports.next() is not None
    assert earlier.exists()
    assert database.files.paths(f"{FOLDER}/")
    feedback.forget(before=now() + timedelta(days=1))
    assert imports.next() is None
    assert not earlier.exists()
    assert database.files.paths(f"{FOLDER}/") == []
    assert own.exists(), "a file that was never uploaded is not ours to delete"
