"""One visitor who takes all they can, and another who finds everything as it was. No browser: plain HTTP."""

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import httpx
import pytest

from benchmarks.endurance.page import API, OpenPage, RefusedError
from storage.annotation.spans import LABELS
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, serve, settings_in
from ui.server import queues
from ui.studio import running

pytestmark = pytest.mark.slow
DOG = EXAMPLES / "sound-dog.ogg"
PAGES_HELD = 30
EACH_MINUTE = 6
VICTIMS = count(1)  # each of an address of its own


class GatedEngine(FakeEngine):
    """Writes nothing while the gate is closed."""

    def __init__(self) -> None:
        super().__init__(pause=0.0)
        self.gate = threading.Event()
        self.gate.set()

    def stream(self, *arguments: Any, **options: Any) -> Iterator[Any]:
        self.gate.wait()
        yield from super().stream(*arguments, **options)


@pytest.fixture(scope="module")
def engine() -> GatedEngine:
    return GatedEngine()


@pytest.fixture(scope="module")
def own_url(tmp_path_factory: pytest.TempPathFactory, engine: GatedEngine) -> Iterator[str]:
    """An app without a proxy, where this machine is whoever runs it."""
    settings = settings_in(tmp_path_factory.mktemp("own"), per_minute=EACH_MINUTE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ui.build.UPLOADS_A_QUESTION", 1)
        with serve(settings, lambda progress: engine) as url:  # type: ignore[arg-type, return-value]
            yield url


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, engine: GatedEngine, own_url: str) -> Iterator[str]:
    """With less room than there is, so that a flood need not be as long.

    own_url: built before this one has visitors, as a component that a handler makes while another app of the
    process is being built becomes a part of that one.
    """
    settings = settings_in(
        tmp_path_factory.mktemp("data"), proxies=1, max_waiting_each=3, per_minute=EACH_MINUTE
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ui.build.PAGES_HELD", PAGES_HELD)
        patch.setattr("ui.studio.service.SAVES_A_QUESTION", 1)
        patch.setattr("ui.build.UPLOADS_A_QUESTION", 1)
        with serve(settings, lambda progress: engine) as url:  # type: ignore[arg-type, return-value]
            yield url


@pytest.fixture(autouse=True)
def gate_opened(engine: GatedEngine) -> Iterator[None]:
    """What waits when a test ends goes on."""
    yield
    engine.gate.set()


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
        visitor_at(url, f"198.51.100.{next(VICTIMS)}") as client,
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
    for _ in range(PAGES_HELD + 10):
        body = {"data": ["qa"], "fn_index": event["id"], "session_hash": secrets.token_hex(6)}
        attacker.post(f"{API}/run/predict", json=body).raise_for_status()
    assert rated(page)


def test_made_up_heartbeats_leave_an_open_page_as_it_was(attacker: httpx.Client, page: OpenPage) -> None:
    for _ in range(PAGES_HELD + 10):
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


def asked(client: httpx.Client, clip: dict[str, Any]) -> httpx.Response:
    """A program's question joins the line."""
    return client.post(f"{API}/call/ask", json={"data": [clip, "What?", "qa"]})


def ask_joined(client: httpx.Client, step: dict[str, Any], clip: dict[str, Any]) -> httpx.Response:
    """The page's question joins the line, of a session that is made up."""
    data = [clip, "qa", "What?", 0, 30, None, False, 0, 0, None, "someone"]
    body = {"data": data, "fn_index": step["id"], "session_hash": secrets.token_hex(6)}
    return client.post(f"{API}/queue/join", json=body)


def clip_of(client: httpx.Client) -> dict[str, Any]:
    path = client.post(f"{API}/upload", files={"files": ("dog.ogg", DOG.read_bytes())}).json()[0]
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize("by", ["a program", "a page"])
def test_a_flood_of_questions_leaves_the_queue_to_others(
    url: str, engine: GatedEngine, page: OpenPage, by: str
) -> None:
    engine.gate.clear()
    with visitor_at(url, f"192.0.2.{len(by)}") as client:
        clip, step = clip_of(client), event_of(client, "ask_1")
        replies = [
            asked(client, clip) if by == "a program" else ask_joined(client, step, clip) for _ in range(20)
        ]
        statuses = [reply.status_code for reply in replies]
        assert statuses == [200] * 3 + [429] * 17
        assert replies[-1].json()["detail"].startswith("Too many questions of yours are waiting")
    page.upload(DOG)
    assert rated(page)
    dashboard = {"data": [""], "fn_index": event_of(page.client, "drawn")["id"], "session_hash": "dashboard"}
    page.client.post(f"{API}/queue/join", json=dashboard).raise_for_status()
    stream = page.join("ask")
    engine.gate.set()
    with page.client.stream("GET", stream) as reply:
        assert any("process_completed" in line for line in reply.iter_lines())


def test_places_that_nobody_comes_for_are_the_visitor_s_own(
    url: str, engine: GatedEngine, page: OpenPage
) -> None:
    """Reserving is the page's first step; a flood of it took every place in the line."""
    engine.gate.clear()
    with visitor_at(url, "203.0.113.70") as client:
        step = event_of(client, "reserve")
        for _ in range(40):
            body = {"data": [], "fn_index": step["id"], "session_hash": secrets.token_hex(6)}
            client.post(f"{API}/queue/join", json=body)
    page.join("ask")


def test_questions_that_nobody_reads_to_the_end_take_no_place_from_others(
    url: str, engine: GatedEngine, page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that joined and left before its turn, nor one whose page never says that it has read it."""
    monkeypatch.setattr(running, "UNUSED_SECONDS", 0.0)
    engine.gate.clear()
    with visitor_at(url, "203.0.113.75") as client, ExitStack() as pages:
        theirs = [pages.enter_context(OpenPage(client, "somebody")) for _ in range(3)]
        for each in theirs:
            each.upload(DOG)
            each.join("ask")
        with pytest.raises(RefusedError, match="Too many questions of yours are waiting"):
            pages.enter_context(OpenPage(client, "somebody")).join("ask")
        engine.gate.set()
        for each in theirs:
            with client.stream("GET", f"{API}/queue/data?session_hash={each.session}") as reply:
                assert any("process_completed" in line for line in reply.iter_lines())
        theirs[0].join("ask")


def test_whoever_runs_the_app_has_no_share_of_the_queue(own_url: str, engine: GatedEngine) -> None:
    engine.gate.clear()
    with httpx.Client(base_url=own_url, timeout=30) as client:
        clip = clip_of(client)
        assert {asked(client, clip).status_code for _ in range(20)} == {200}


def test_who_has_asked_enough_this_minute_is_refused_before_the_queue(url: str, engine: GatedEngine) -> None:
    with visitor_at(url, "203.0.113.80") as client:
        clip = clip_of(client)
        for _ in range(EACH_MINUTE):
            event = asked(client, clip).raise_for_status().json()["event_id"]
            assert "complete" in client.get(f"{API}/call/ask/{event}").text
        refused = asked(client, clip)
        assert refused.status_code == 429
        assert f"At most {EACH_MINUTE} questions a minute" in refused.json()["detail"]


def test_messages_that_nobody_reads_do_not_push_out_those_of_a_page_that_waits(
    url: str, engine: GatedEngine, page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST_UNREAD", 20)
    engine.gate.clear()
    stream = page.join("ask")
    with visitor_at(url, "203.0.113.90") as client:
        for _ in range(60):
            client.post(f"{API}/call/trace", json={"data": ["none"]})
    engine.gate.set()
    with page.client.stream("GET", stream) as reply:
        assert any("process_completed" in line for line in reply.iter_lines())


def test_a_flood_of_ratings_under_made_up_ids_is_refused_and_another_s_is_saved(
    url: str, page: OpenPage
) -> None:
    with visitor_at(url, "203.0.113.100") as client, OpenPage(client, "somebody") as theirs:
        theirs.upload(DOG)
        list(theirs.trigger("ask"))
        assert rated(theirs)
        person = theirs.fields("save") - 1
        for number in range(EACH_MINUTE - 1):
            theirs.send(
                "save", {person: f"{number:022}"}
            )  # ids as browsers kept them before they were signed
        with pytest.raises(RefusedError, match=f"At most {EACH_MINUTE} ratings and marks a minute"):
            theirs.send("save", {person: f"{EACH_MINUTE:022}"})
    assert rated(page)


@pytest.mark.parametrize(("event", "address"), [("marked", "203.0.113.121"), ("judged", "203.0.113.122")])
def test_a_flood_of_marks_is_refused_and_another_s_is_saved(
    url: str, page: OpenPage, event: str, address: str
) -> None:
    mark = {"start": 0.0, "end": 0.5, "label": LABELS[0], "verdicts": {"0": None}}

    def saved(page: OpenPage, key: str) -> str:
        return "".join(page.trigger("viewer", event, {"key": key, **mark}))

    with visitor_at(url, address) as client, OpenPage(client, "somebody") as theirs:
        theirs.upload(DOG)
        key = key_of("".join(theirs.trigger("ask")))
        for _ in range(EACH_MINUTE):
            assert "problem" not in saved(theirs, key)
        assert f"At most {EACH_MINUTE} ratings and marks a minute" in saved(theirs, key)
    assert "problem" not in saved(page, key_of("".join(page.trigger("ask"))))


def key_of(replies: str) -> str:
    """The answer that the viewer was given."""
    found = re.search(r'\\"key\\":\\"([^"\\]+)', replies)
    assert found
    return found[1]


def test_uploads_are_counted_and_whoever_runs_the_app_is_not(url: str, own_url: str) -> None:
    def statuses(client: httpx.Client) -> list[int]:
        files = {"files": ("a.wav", b"sound")}
        return [client.post(f"{API}/upload", files=files).status_code for _ in range(EACH_MINUTE + 1)]

    with visitor_at(url, "203.0.113.110") as client:
        assert statuses(client) == [200] * EACH_MINUTE + [429]
    with httpx.Client(base_url=own_url) as client:
        assert statuses(client) == [200] * (EACH_MINUTE + 1)
