"""The load test's own parts, on the small engine: it would be worth nothing if it saw no errors."""

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from benchmarks.endurance.ledger import GRACE, Ledger, compare
from benchmarks.endurance.page import OpenPage, RefusedError
from benchmarks.endurance.visitors import Budget, Visitor, ask_and_rate, ask_and_rate_by_the_api
from tests.serving import EXAMPLES, Server, rows, until

DOG = EXAMPLES / "sound-dog.ogg"


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture
def ledger(server: Server) -> Ledger:
    watched: Any = SimpleNamespace(url=server.url, outages=0, data=server.data)
    return Ledger(watched)


def test_a_visitor_asks_and_both_ratings_are_in_the_database(
    client: httpx.Client, server: Server, ledger: Ledger
) -> None:
    visitor = Visitor(1, ledger, Budget(threading.Event()), pause=0)
    with OpenPage(client, "someone") as page:
        page.upload(DOG)
        ask_and_rate(visitor, page)
        ask_and_rate_by_the_api(visitor, page)
    assert len(ledger.saved) == 2
    assert ledger.saved <= {comment for (comment,) in rows(server.data, "SELECT comment FROM ratings")}
    found = compare(ledger, server.data / "feedback.db")
    assert (found.lost, found.went_on, found.sound) == ([], [], True)


def test_a_rating_that_is_not_there_and_an_answer_written_for_nobody_are_found(
    client: httpx.Client, server: Server, ledger: Ledger
) -> None:
    with OpenPage(client, "someone") as page:
        page.upload(DOG)
        page.fill("question", "written to the end")
        list(page.trigger("ask"))
    ledger.saved.add("never sent")
    ledger.left["written to the end"] = time.time() - GRACE - 60
    found = compare(ledger, server.data / "feedback.db")
    assert found.lost == ["never sent"]
    assert found.went_on == ["written to the end"]


@pytest.mark.parametrize("whole_page", [True, False], ids=["tab closed", "stream cut"])
def test_leaving_stops_the_model(client: httpx.Client, server: Server, whole_page: bool) -> None:
    with OpenPage(client, "someone") as page:
        page.upload(DOG)
        page.fill("question", "endless")
        answer = page.trigger("ask")
        next(message for message in answer if "on and" in message)
        assert server.engine.writing == 1
        answer.close()
        if not whole_page:
            assert until(lambda: server.engine.writing == 0)
    assert until(lambda: server.engine.writing == 0)


def test_a_failure_is_an_error_a_limit_is_not_and_an_outage_neither(
    client: httpx.Client, ledger: Ledger
) -> None:
    with OpenPage(client, "someone") as page:
        page.upload(DOG)
        page.fill("question", "fail")
        with ledger.act("ask"):
            list(page.trigger("ask"))
    with ledger.act("ask"):
        raise RefusedError("The queue is full: 2 wait before you. Please try again in a minute.")
    with ledger.act("ask"):
        ledger.server.outages += 1
        raise httpx.ReadError("cut")
    assert ledger.errors == ["ask: RefusedError: The question cannot be answered; ask another one."]
    assert sum(ledger.limits.values()) == 1
    assert ledger.cut_by_outage == 1
    assert not ledger.done


def test_a_question_that_is_no_text_asks_the_tasks_own(client: httpx.Client, server: Server) -> None:
    with OpenPage(client, "someone") as page:
        page.upload(DOG)
        page.fill("question", None)
        list(page.trigger("ask"))
    assert server.engine.asked[-1]["question"] == "What do you hear?"
