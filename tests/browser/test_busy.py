"""The page when there is too much: files too large, too many questions, and people who leave."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.pages import AppPage
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, Server, serve, settings_in, until
from ui.server import body_limit

DOG = EXAMPLES / "sound-dog.ogg"
VISITOR = {"X-Forwarded-For": "203.0.113.9"}
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with narrow limits."""
    data, engine = tmp_path_factory.mktemp("data"), FakeEngine()
    settings = settings_in(data, max_upload_mb=1, at_once=1, max_waiting=2, per_minute=1, proxies=1)
    with serve(settings, lambda progress: engine) as url:
        yield Server(url, data, engine)


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Callable[..., AppPage]]:
    contexts: list[BrowserContext] = []

    def opened(**options: object) -> AppPage:
        headers = {"X-Forwarded-For": f"198.51.100.{next(NUMBERS)}", **options.pop("headers", {})}
        contexts.append(browser.new_context(extra_http_headers=headers))
        return AppPage(contexts[-1].new_page(), server.url)

    yield opened
    for context in contexts:
        context.close()


def queued(server: Server) -> int:
    """How many requests wait for the model."""
    return httpx.get(f"{server.url}gradio_api/queue/status").json()["queue_size"]


def test_a_file_too_large_is_reported_on_the_page(open_page: Callable[..., AppPage], tmp_path: Path) -> None:
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(3 * 2**20))
    app = open_page()
    app.put(large)
    expect(app.page.get_by_test_id("toast-body")).to_contain_text("maximum allowed size of 1.0 Mb")
    app.page.set_input_files("#clip input[type=file]", DOG)
    expect(app.outlook).to_contain_text("Will hear")


def test_a_full_disk_is_reported_on_the_page(
    open_page: Callable[..., AppPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page()
    monkeypatch.setattr(body_limit, "_free", lambda folder: 0)
    app.put(DOG)
    expect(app.page.get_by_test_id("toast-body")).to_contain_text("There is no disk space for uploads")


def test_one_question_too_many_is_reported_and_kept(open_page: Callable[..., AppPage]) -> None:
    app = open_page(headers=VISITOR)
    app.upload(DOG)
    app.ask_about("first")
    app.ask_about("second", finished=False)
    expect(app.notice).to_contain_text("At most 1 questions a minute")
    expect(app.question_box).to_have_value("second")
    expect(app.answer_text).to_contain_text("first")


def test_each_answer_of_a_comparison_counts_as_a_question(open_page: Callable[..., AppPage]) -> None:
    app = open_page(headers={"X-Forwarded-For": "203.0.113.10"})
    app.upload(DOG)
    app.ask_about("first")
    app.contest_start.click()
    expect(app.comparison_status).to_contain_text("At most 1 questions a minute")
    expect(app.sides).not_to_contain_text("first")


def test_a_comparison_waits_in_the_queue_and_is_reported_when_it_is_full(
    open_page: Callable[..., AppPage],
) -> None:
    comparing, writing, waiting = open_page(), open_page(), open_page()
    for app in (comparing, writing, waiting):
        app.upload(DOG)
    comparing.ask_about("first")
    writing.ask_about("endless", finished=False)
    expect(writing.answer_text).to_contain_text("on and on")
    waiting.ask_about("in line", finished=False)
    expect(waiting.stop).to_be_visible()
    comparing.contest_start.click()
    expect(comparing.page.get_by_test_id("toast-body")).to_contain_text("The queue is full")
    expect(comparing.contest_start).to_have_text("Write them")
    expect(comparing.contest_start).to_be_enabled()
    writing.stop.click()
    expect(waiting.answer_text).to_contain_text("in line")


def test_a_full_queue_is_reported_and_those_who_leave_it_are_not_answered(
    open_page: Callable[..., AppPage], server: Server
) -> None:
    writing, waiting, late = open_page(), open_page(), open_page()
    for app in (writing, waiting, late):
        app.upload(DOG)
    writing.ask_about("endless", finished=False)
    expect(writing.answer_text).to_contain_text("on and on")
    waiting.ask_about("from who leaves", finished=False)
    expect(waiting.stop).to_be_visible()
    late.ask_about("late", finished=False)
    expect(late.page.get_by_test_id("toast-body")).to_contain_text("The queue is full")

    assert queued(server) == 1
    waiting.page.context.close()
    assert until(lambda: queued(server) == 0)
    writing.stop.click()
    writing.wait_for_answer()
    late.ask_about("late")
    expect(late.answer_text).to_contain_text("late")
    assert "from who leaves" not in [asked["question"] for asked in server.engine.asked]


def test_a_page_closed_while_it_is_written_stops_the_model(
    open_page: Callable[..., AppPage], server: Server
) -> None:
    app = open_page()
    app.upload(DOG)
    app.ask_about("endless", finished=False)
    expect(app.answer_text).to_contain_text("on and on")
    app.page.close()
    assert until(lambda: server.engine.writing == 0)
