"""Places in the line: one a page, counted for the visitor, and gone when nobody uses them."""

import pytest

from ui.studio.running import UNUSED_SECONDS, RunningRequests
from usam.errors import RequestError


def test_a_place_that_nothing_waits_for_lapses() -> None:
    now = 0.0
    running = RunningRequests(clock=lambda: now)
    running.is_queued = lambda page: page == "waits"
    for page in ("left", "waits"):
        assert running.begin(page, "visitor")
    assert running.begin("ended by its caller", "visitor", lapses=False)
    left, waits = running.stop_event("left"), running.stop_event("waits")
    now = UNUSED_SECONDS + 1
    assert len(running) == 2
    assert "left" not in running
    assert (left.is_set(), waits.is_set()) == (True, False)


def test_a_visitor_has_a_share_and_whoever_runs_the_app_has_all() -> None:
    running = RunningRequests(most=4, most_each=2)
    assert running.begin("a", "visitor")
    assert running.begin("b", "visitor")
    with pytest.raises(RequestError, match="Too many questions of yours are waiting: 2"):
        running.begin("c", "visitor")
    assert running.begin("c")
    assert running.begin("d")
    with pytest.raises(RequestError, match="The queue is full"):
        running.begin("e", "another")
    running.end("a")
    assert running.begin("e", "another")


def test_an_answer_without_a_place_takes_none() -> None:
    running = RunningRequests(most=1)
    assert not running.stop_event("made up").is_set()
    assert running.begin("page")


def test_a_page_has_one_answer_at_a_time() -> None:
    running = RunningRequests()
    assert running.begin("page")
    assert not running.begin("page")
    assert running.begin("another page")
    event = running.stop_event("page")
    running.end("page")
    assert event.is_set()
    assert running.begin("page")


def test_a_question_stopped_in_the_queue_starts_stopped() -> None:
    running = RunningRequests()
    running.begin("page")
    running.stop("page")
    assert running.stop_event("page").is_set()
    assert not running.stop_event("another page").is_set()
