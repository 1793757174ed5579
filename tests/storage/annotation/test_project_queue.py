"""The queue of a project: who is given which item, and that a gold item looks like any other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from storage import Database, Feedback, now
from storage.annotation import leases
from storage.annotation.gold import Gold
from storage.annotation.project_queue import ProjectQueue
from storage.annotation.projects import Projects
from storage.annotation.queue import Queue
from storage.annotation.repeats import Repeats
from storage.errors import NotFoundError

Fill = Callable[..., list[str]]
Make = Callable[..., dict[str, Any]]
ALL: Any = {"audio_only": False, "page": "one"}


@pytest.fixture
def queue(database: Database, projects: Projects) -> ProjectQueue:
    return ProjectQueue(database, 1, key=projects.make("birds").key)


def test_items_wait_in_their_project_alone(
    queue: ProjectQueue, projects: Projects, fill: Fill, feedback: Feedback, make_record: Make
) -> None:
    projects.make("fish")
    birds, fish = fill("birds", 2), fill("fish", 1)
    stray = feedback.record_answer(make_record(clip="stray"), annotator="asker")
    feedback.rate(birds[0], "me", thumb=1)
    assert queue.upcoming("me", **ALL) == [birds[1]]
    counts = queue.progress("me", audio_only=False)
    assert (counts.judged, counts.left) == (1, 1)
    everyday = Queue(feedback.database)
    assert everyday.upcoming("me", **ALL) == [stray]
    assert (
        everyday.progress("me", audio_only=False).judged,
        everyday.progress("me", audio_only=False).left,
    ) == (0, 1)
    assert fish[0] not in queue.upcoming("you", **ALL)


@pytest.mark.parametrize("wanted", [1, 2])
def test_people_at_once_are_given_no_more_than_is_wanted(
    queue: ProjectQueue, fill: Fill, feedback: Feedback, wanted: int
) -> None:
    queue = replace(queue, ratings_wanted=wanted)
    items = fill("birds", 7)
    people = ["a", "b", "c", "d", "e"]
    with ThreadPoolExecutor(len(people)) as pool:
        given = list(pool.map(lambda person: queue.upcoming(person, **ALL), people))
    for item in items:
        assert sum(item in ids for ids in given) <= wanted
    assert sum(map(len, given)) == wanted * len(items)
    for person, ids in zip(people, given, strict=True):
        assert len(set(ids)) == len(ids)
        for item in ids:
            feedback.rate(item, person, thumb=1)
    assert all(queue.upcoming(person, **ALL) == [] for person in people)


def test_what_a_person_leaves_goes_to_another(
    queue: ProjectQueue, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = fill("birds", 2)
    assert set(queue.upcoming("slow", **ALL)) == {a, b}
    assert queue.upcoming("quick", **ALL) == []
    assert queue.progress("quick", audio_only=False).left == 2, "they wait, but for somebody else"
    queue.skip(a, "slow")
    assert queue.upcoming("quick", **ALL) == [a]
    later = now() + leases.LEASE_TIME + timedelta(seconds=1)
    monkeypatch.setattr("storage.database.schema.now", lambda: later)
    assert set(queue.upcoming("quick", **ALL)) == {a, b}


def test_a_person_is_given_their_own_again(queue: ProjectQueue, fill: Fill) -> None:
    items = fill("birds", 2)
    for _ in range(2):
        assert set(queue.upcoming("me", **ALL)) == set(items)


def test_a_draft_comes_back_to_its_person(queue: ProjectQueue, fill: Fill) -> None:
    a, b = fill("birds", 2)
    queue.draft(a, "me", {"score": 2})
    assert queue.upcoming("me", **ALL) == [b, a]
    assert queue.progress("me", audio_only=False).drafts == 1


def test_everyone_is_given_every_gold_item_in_some_place(
    queue: ProjectQueue, fill: Fill, feedback: Feedback
) -> None:
    gold = set(fill("birds", 3, gold=Gold(thumb=1)))
    ordinary = set(fill("birds", 9))
    for number in range(8):
        person, seen = f"p{number}", []
        while ids := queue.upcoming(person, **ALL):
            seen += ids
            for id_ in ids:
                feedback.rate(id_, person, thumb=1)
        assert gold <= set(seen)
        if number == 0:
            assert set(seen) == gold | ordinary, "one judgement of each is enough"
            assert queue.progress(person, audio_only=False).judged == 12
        else:
            assert not ordinary & set(seen)


def test_gold_is_mixed_in_by_chance(queue: ProjectQueue, fill: Fill) -> None:
    """That a gold item stands in one and the same place forty times is as good as impossible."""
    fill("birds", 4)
    (known,) = fill("birds", 1, gold=Gold(score=3))
    places = {ids.index(known) for _ in range(60) if known in (ids := queue.upcoming("me", **ALL))}
    assert len(places) > 1


def test_an_item_tells_nothing_of_gold(queue: ProjectQueue, fill: Fill) -> None:
    (plain,) = fill("birds", 1)
    (known,) = fill("birds", 1, gold=Gold(score=3, text="the answer that is known"))
    kinds = [type(queue.item(id_, "me")) for id_ in (plain, known)]
    assert kinds[0] is kinds[1]
    shown = repr(queue.item(known, "me"))
    assert "known" not in shown
    assert "gold" not in shown.lower()


def test_a_closed_or_foreign_project_gives_nothing(
    queue: ProjectQueue, projects: Projects, fill: Fill, feedback: Feedback
) -> None:
    (item,) = fill("birds", 1)
    projects.change("birds", "", 1, {"anna": "Anna"})
    assert queue.upcoming("anna", **ALL) == [item]
    with pytest.raises(NotFoundError, match="not open to you"):
        queue.upcoming("ben", **ALL)
    with pytest.raises(NotFoundError):
        feedback.forget(annotator="ben")  # who was turned away left nothing
    projects.close("birds")
    with pytest.raises(NotFoundError):
        queue.upcoming("anna", **ALL)


def test_answers_come_again_within_their_project(
    queue: ProjectQueue, fill: Fill, feedback: Feedback, make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.annotation.repeats.GAP", 0)
    (item,) = fill("birds", 1)
    stray = feedback.record_answer(make_record(clip="stray"), annotator="asker")
    for id_ in (item, stray):
        feedback.rate(id_, "me", thumb=1)
    repeats = Repeats(feedback.database)
    assert repeats.due("me", 5, project=queue.key, audio_only=False) == [item]
    assert repeats.due("me", 5, audio_only=False) == [stray]


def test_forgetting_a_person_frees_what_they_had_before_them(
    queue: ProjectQueue, fill: Fill, feedback: Feedback
) -> None:
    (item,) = fill("birds", 1)
    queue.upcoming("me", **ALL)
    feedback.forget(annotator="me")
    assert queue.upcoming("you", **ALL) == [item]
