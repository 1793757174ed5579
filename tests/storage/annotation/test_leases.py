"""Who has which answer or pair before them: never two people, nor two pages of one person, unasked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from storage import Feedback, now
from storage.annotation.blind_pairs import BlindPair, BlindPairs
from storage.annotation.leases import LEASE_TIME, Leases
from storage.annotation.queue import Queue
from storage.errors import NotFoundError

Make = Callable[..., dict[str, Any]]
Ask = Callable[[int], list[str]]


@pytest.fixture
def queue(feedback: Feedback) -> Queue:
    return Queue(feedback.database)


@pytest.fixture
def leases(feedback: Feedback) -> Leases:
    return Leases(feedback.database)


@pytest.fixture
def ask(feedback: Feedback, make_record: Make) -> Ask:
    """Stores so many answers; the first of their ids is the newest."""
    return lambda count: [
        feedback.record_answer(make_record(f"answer {n}", clip=f"clip {n}"), annotator="asker")
        for n in reversed(range(count))
    ][::-1]


def given(queue: Queue, person: str, page: str, **options: Any) -> list[str]:
    return queue.upcoming(person, "newest", audio_only=False, page=page, **options)


def pass_time(monkeypatch: pytest.MonkeyPatch, passed: timedelta) -> None:
    later = now() + passed
    monkeypatch.setattr("storage.database.schema.now", lambda: later)


def test_people_and_pages_that_ask_at_once_are_given_each_answer_once(queue: Queue, ask: Ask) -> None:
    ids = ask(23)
    pages = [(person, page) for person in ("a", "b") for page in ("one", "two", "three")]
    with ThreadPoolExecutor(len(pages)) as pool:
        found = list(pool.map(lambda page: given(queue, *page), pages))
    assert sorted(id_ for some in found for id_ in some) == sorted(ids)


def test_a_page_that_goes_on_is_given_what_nobody_holds(queue: Queue, feedback: Feedback, ask: Ask) -> None:
    ids = ask(8)
    mine, yours = given(queue, "me", "one"), given(queue, "you", "one")
    assert (mine, yours) == (ids[:5], ids[5:])
    for id_ in mine[:-2]:
        feedback.rate(id_, "me", thumb=1)
    queue.skip(mine[3], "me")
    queue.draft(mine[4], "me", {"thumb": 1})
    assert given(queue, "you", "one") == mine, "each is wanted of everyone, one after the other"
    assert given(queue, "me", "one") == yours


def test_what_is_asked_for_comes_although_others_hold_it(queue: Queue, ask: Ask) -> None:
    ids = ask(3)
    assert given(queue, "me", "one") == ids
    assert given(queue, "me", "two") == given(queue, "you", "one") == []
    assert queue.progress("you", audio_only=False).left == 3
    assert given(queue, "me", "two", leased=True) == ids
    assert given(queue, "me", "one") == [], "they are on the other page now"
    assert given(queue, "you", "one", leased=True) == ids


def test_who_only_looks_takes_nothing_and_is_shown_nothing_that_is_held(queue: Queue, ask: Ask) -> None:
    ids = ask(6)
    assert queue.upcoming("me", "newest", audio_only=False) == ids[:5]
    assert given(queue, "you", "one") == ids[:5]
    assert queue.upcoming("me", "newest", audio_only=False) == ids[5:]


@pytest.mark.parametrize("wanted", [1, 2])
def test_no_more_people_are_asked_than_are_wanted(queue: Queue, ask: Ask, wanted: int) -> None:
    queue = Queue(queue.database, wanted)
    ids = ask(3)
    people = [given(queue, f"p{n}", "one") for n in range(3)]
    assert people == [ids] * wanted + [[]] * (3 - wanted)
    assert given(queue, "p0", "two") == []


def test_a_lease_ends_with_its_page_or_by_itself_and_is_renewed_by_an_open_page(
    queue: Queue, leases: Leases, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ask(3)
    given(queue, "me", "one")
    leases.release("another")
    assert given(queue, "you", "two") == []
    leases.release("one")
    assert given(queue, "you", "two") == ids
    pass_time(monkeypatch, LEASE_TIME / 2)
    leases.renew("you", "two")
    pass_time(monkeypatch, LEASE_TIME + timedelta(seconds=1))
    assert given(queue, "me", "one") == []
    pass_time(monkeypatch, 2 * LEASE_TIME)
    assert given(queue, "me", "one") == ids, "the page of the other, or its server, is gone"
    leases.renew("you", "two")
    assert given(queue, "you", "two") == [], "what is lost is not taken back"


def test_an_answer_that_a_person_goes_back_to_is_theirs_again(
    queue: Queue, leases: Leases, feedback: Feedback, ask: Ask
) -> None:
    (id_,) = ask(1)
    given(queue, "me", "one")
    feedback.rate(id_, "me", thumb=1)
    feedback.undo(id_, "me")
    leases.take(id_, "me", "one")
    assert given(queue, "you", "one") == []
    with pytest.raises(NotFoundError):
        leases.take("gone", "me", "one")


def test_a_draft_that_is_open_on_one_page_is_not_on_another(queue: Queue, ask: Ask) -> None:
    (id_,) = ask(1)
    queue.draft(id_, "me", {"thumb": 1})
    assert given(queue, "me", "one") == [id_]
    assert given(queue, "me", "two") == []


def test_forgetting_a_person_frees_what_they_held_and_deleting_an_answer_its_leases(
    queue: Queue, feedback: Feedback, ask: Ask
) -> None:
    (id_,) = ask(1)
    feedback.rate(id_, "me", thumb=1)
    feedback.withdraw(id_, "me")
    assert given(queue, "me", "one") == [id_]
    feedback.forget(annotator="me")
    assert given(queue, "you", "one") == [id_]
    feedback.forget(annotator="asker")
    assert given(queue, "you", "one") == []


def test_a_pair_is_on_one_page_at_a_time(feedback: Feedback, make_record: Make, leases: Leases) -> None:
    def stored(text: str, clip: str) -> str:
        return feedback.record_answer(make_record(text, clip=clip), annotator=None)

    pairs = [
        BlindPair(*(stored(text, clip) for text in ("asked", "old", "new")))
        for clip in ("dog", "cat", "bird")
    ]
    blind = BlindPairs(feedback.database)
    shown = [
        blind.upcoming(pairs, person, page=page)
        for person, page in (("me", "one"), ("me", "two"), ("you", "one"), ("they", "one"))
    ]
    assert shown[3] is None
    assert {pair for pair in shown if pair} == set(pairs)
    first = shown[0]
    assert first is not None
    feedback.compare(first.old, first.new, "me", "a")
    assert blind.upcoming(pairs, "me", page="one") is None
    assert blind.upcoming(pairs, "they", page="one") == first, (
        "it was let go, and another person may judge it"
    )
    leases.release("two")
    assert blind.upcoming(pairs, "me", page="one") == shown[1]
