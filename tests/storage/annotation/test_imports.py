"""Clips that wait to become items of a project."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import Database, Feedback, now
from storage.annotation.gold import Gold
from storage.annotation.imports import NewItem, ProjectImports
from storage.annotation.projects import Projects
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
    assert (first.source, first.path, first.task) == ("a.wav", Path("/clips/a.wav"), "qa")
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


def test_failures_are_tried_again_or_discarded(imports: ProjectImports, projects: Projects) -> None:
    imports.add("birds", [clip("a.wav")])
    item = imports.next()
    assert item is not None
    imports.failed(item, "no audio")
    assert imports.next() is None
    imports.retry("birds")
    assert imports.next() == item
    assert imports.paths() == {Path("/clips/a.wav")}
    assert imports.discard("birds") == [Path("/clips/a.wav")]
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


def test_what_is_older_than_is_kept_goes_with_its_upload(
    imports: ProjectImports, feedback: Feedback, database: Database, tmp_path: Path
) -> None:
    uploaded, own = database.folder / "imports" / "x" / "0.wav", tmp_path / "own.wav"
    uploaded.parent.mkdir(parents=True)
    for file in (uploaded, own):
        file.write_bytes(b"RIFF")
    imports.add("birds", [NewItem(file, file.name, "qa", "What?") for file in (uploaded, own)])
    feedback.forget(before=now() - timedelta(days=1))
    assert imports.next() is not None
    assert uploaded.exists()
    feedback.forget(before=now() + timedelta(days=1))
    assert imports.next() is None
    assert not uploaded.exists()
    assert own.exists(), "a file that was never uploaded is not ours to delete"
