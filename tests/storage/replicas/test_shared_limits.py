"""Limits that processes on one database share: requests a minute, and places in a queue."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storage import Database, now, open_database
from storage.database.locks import is_held, only_process
from storage.database.schema import RequestTime
from storage.replicas.queue_places import PLACE_TIME, QueuePlaces
from storage.replicas.request_counts import MINUTE, RequestCounts

ADDRESS = "203.0.113.7"


@pytest.fixture
def two(url: str) -> list[Database]:
    return [open_database(url) for _ in range(2)]


def pass_time(monkeypatch: pytest.MonkeyPatch, passed: timedelta) -> None:
    later = now() + passed
    monkeypatch.setattr("storage.database.schema.now", lambda: later)


def test_requests_at_two_processes_are_counted_together(
    two: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (RequestCounts(database, "secret") for database in two)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda n: (here, there)[n % 2].take("questions", ADDRESS, 5), range(12)))
    assert waits.count(None) == 5
    assert all(0 < wait <= 60 for wait in waits if wait is not None)
    assert here.take("ratings", ADDRESS, 5) is None, "another kind"
    assert there.take("questions", "198.51.100.1", 5) is None, "another visitor"
    assert there.check("questions", ADDRESS, 6) is None
    there.give_back("questions", ADDRESS)
    assert here.take("questions", ADDRESS, 5) is None
    pass_time(monkeypatch, MINUTE)
    assert there.check("questions", ADDRESS, 5) is None
    here.clean()
    with two[1].read() as session:
        assert session.scalar(select(func.count()).select_from(RequestTime)) == 0


def test_no_address_is_kept(two: list[Database]) -> None:
    RequestCounts(two[0], "secret").take("questions", ADDRESS, 5)
    with two[1].read() as session:
        assert ADDRESS not in repr(session.execute(select(RequestTime.who, RequestTime.what)).all())


def test_places_at_two_processes_are_counted_together(two: list[Database]) -> None:
    here, there = (QueuePlaces(database, "questions") for database in two)
    assert not here.take("a", "visitor", 4, 2).elsewhere
    there.take("b", "visitor", 4, 2)
    held = here.take("c", "visitor", 4, 2)
    assert (held.mine, held.all) == (2, 2)
    for page in ("d", "e"):
        there.take(page, None, 4, 2)
    assert here.take("f", "another", 4, 2).all == 4
    assert there.take("a", None, 9, 9).elsewhere, "the page is answered by the other process"
    there.give_back("a")
    assert here.take("f", "another", 4, 2).all == 4, "a process gives back its own places alone"
    here.give_back("a")
    assert here.take("f", "another", 4, 2).all == 3
    assert QueuePlaces(two[1], "experiments").take("x", "visitor", 4, 2).all == 0


def test_places_of_a_process_that_is_gone_lapse(two: list[Database], monkeypatch: pytest.MonkeyPatch) -> None:
    alive, gone = (QueuePlaces(database, "questions") for database in two)
    alive.take("a", None, 9, 9)
    gone.take("b", None, 9, 9)
    pass_time(monkeypatch, PLACE_TIME / 2)
    alive.renew()
    pass_time(monkeypatch, PLACE_TIME + timedelta(seconds=1))
    assert alive.take("b", None, 9, 9).all == 1


def test_one_process_at_a_time_has_a_lock(two: list[Database]) -> None:
    here, there = two
    with only_process(here, "tuning") as mine, only_process(there, "tuning") as theirs:
        assert mine
        assert theirs is None
        assert is_held(here, "tuning")
        assert is_held(there, "tuning")
        assert not is_held(here, "retention")
        mine.check()
        with only_process(there, "retention") as another:
            assert another
    with pytest.raises(RuntimeError), only_process(here, "tuning"):
        raise RuntimeError
    assert not is_held(there, "tuning")
    with only_process(there, "tuning") as mine:
        assert mine
