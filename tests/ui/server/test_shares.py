"""One visitor who takes all they can, and another who finds everything as it was. No browser: plain HTTP."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from benchmarks.endurance.page import API, OpenPage
from tests.browser.fake_engine import FakeEngine
from tests.browser.pages import EXAMPLES, serve, settings_in

DOG = EXAMPLES / "sound-dog.ogg"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = settings_in(tmp_path_factory.mktemp("data"))
    with serve(settings, lambda progress: FakeEngine(pause=0.0)) as url:  # type: ignore[arg-type, return-value]
        yield url


def visitor_at(url: str, address: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"X-Forwarded-For": address}, timeout=30)


@pytest.fixture
def attacker(url: str) -> Iterator[httpx.Client]:
    with visitor_at(url, "203.0.113.66") as client:
        yield client


@pytest.fixture
def page(url: str) -> Iterator[OpenPage]:
    """Another visitor's page, with an answer on it."""
    with (
        visitor_at(url, f"198.51.100.{secrets.randbelow(250)}") as client,
        OpenPage(client, "victim") as page,
    ):
        page.upload(DOG)
        page.fill("question", "What animal is this?")
        list(page.trigger("ask"))
        yield page


def event_of(client: httpx.Client, name: str) -> dict[str, Any]:
    """One of the page's events by its name."""
    steps = client.get("/config").json()["dependencies"]
    return next(step for step in steps if step["api_name"] == name)


def rated(page: OpenPage) -> bool:
    """Whether the answer is still there to rate."""
    page.fill("score", 4)
    return "Saved" in "".join(page.trigger("save"))


def test_made_up_sessions_leave_an_open_page_as_it_was(attacker: httpx.Client, page: OpenPage) -> None:
    event = event_of(attacker, "task_changed")
    for _ in range(230):
        body = {"data": ["qa"], "fn_index": event["id"], "session_hash": secrets.token_hex(6)}
        attacker.post(f"{API}/run/predict", json=body).raise_for_status()
    assert rated(page)


def test_made_up_heartbeats_leave_an_open_page_as_it_was(attacker: httpx.Client, page: OpenPage) -> None:
    for _ in range(230):
        with attacker.stream("GET", f"{API}/heartbeat/{secrets.token_hex(6)}") as beat:
            next(beat.iter_bytes())
    assert rated(page)


def test_a_visitor_holds_so_many_heartbeats_and_the_next_one_opens_a_page(
    url: str, attacker: httpx.Client, page: OpenPage
) -> None:
    with ExitStack() as open_ones, visitor_at(url, "203.0.113.66") as client:
        statuses = []
        for _ in range(52):
            beat = client.stream("GET", f"{API}/heartbeat/{secrets.token_hex(6)}")
            statuses.append(open_ones.enter_context(beat).status_code)
        assert statuses == [200] * 50 + [429] * 2
        assert rated(page)
