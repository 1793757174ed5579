"""The Annotate page in a real browser: a queue worked through from the keyboard, every step saved."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from storage import Feedback, open_database
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, rows, serve, settings_in
from ui.engines.loader import EngineLoader
from ui.studio.service import AskRequest, Studio

CLIPS = ("sound-dog.ogg", "music-piano.ogg", "sound-rain.ogg", "sound-siren.ogg")


def fill(data: Path) -> None:
    """Answers to four clips, the first of which nobody may hear."""
    settings = settings_in(data)
    feedback = Feedback(open_database(settings.database_url))
    loader = EngineLoader(lambda progress: FakeEngine(pause=0))  # type: ignore[arg-type, return-value]
    studio = Studio(loader, feedback, settings)
    for number, name in enumerate(CLIPS):
        request = AskRequest(f"About {name}?", "qa", str(EXAMPLES / name), seed=number, keep_audio=number > 0)
        list(studio.ask(request, "asker", threading.Event()))
    feedback.database.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


@pytest.fixture
def choices() -> dict[str, Any]:
    """What an administrator has chosen."""
    return {}


@pytest.fixture
def page(browser: Browser, data: Path, choices: dict[str, Any]) -> Iterator[Page]:
    problems: list[str] = []
    with serve(settings_in(data, **choices), lambda progress: FakeEngine()) as url:  # type: ignore[arg-type, return-value]
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        expect.set_options(timeout=45_000)
        page.goto(f"{url}annotate")
        expect(page.locator(".item[data-ready], .empty")).to_be_visible()
        yield page
        context.close()
    assert problems == []


def shown(page: Page) -> str:
    return page.locator(".item").get_attribute("data-id") or ""


def until_next(page: Page, last: str) -> str:
    expect(page.locator(f'.item[data-ready]:not([data-id="{last}"])')).to_be_visible()
    return shown(page)


def stored_rating(data: Path, answer: str) -> tuple[object, ...]:
    columns, id_ = "thumb, score, dimensions, flags, correction", answer.replace("-", "")
    query = f"SELECT {columns} FROM ratings WHERE answer_id = '{id_}'"
    (thumb, score, dimensions, flags, correction), *_ = rows(data, query)
    return thumb, score, json.loads(dimensions), json.loads(flags), correction


def test_a_queue_is_worked_through_with_the_keyboard_alone(page: Page, data: Path) -> None:
    keys, progress = page.keyboard, page.locator("#queue-progress")
    expect(progress).to_contain_text("0 judged · 0 skipped · 3 left")
    expect(page.locator(".item audio")).to_have_attribute("src", re.compile("^data:audio/ogg;base64,"))
    first = shown(page)
    for key in ("g", "4", "2", "h", "c"):
        keys.press(key)
    keys.type("It is the siren: 5 bars, gone")  # digits and letters are words here
    keys.press("Escape")
    keys.press("Enter")
    second = until_next(page, first)
    assert stored_rating(data, first) == (
        1, 4, {"correctness": 2}, ["hallucination"], "It is the siren: 5 bars, gone",
    )  # fmt: skip
    expect(page.locator("#judge input:checked")).to_have_count(0)

    keys.press("s")
    third = until_next(page, second)
    expect(progress).to_contain_text("1 judged · 1 skipped · 1 left")
    keys.press("b")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("5")
    keys.press("d")
    expect(page.locator("#queue-status")).to_contain_text("You began this one before")
    assert shown(page) == third, "only the draft is left"
    expect(page.locator("#dimension-completeness input:checked")).to_have_value("5")
    keys.press("Enter")
    expect(page.locator(".empty")).to_contain_text("All judged. Thank you.")
    assert stored_rating(data, third)[:3] == (-1, None, {"completeness": 5})
    expect(page.locator("#judge")).to_be_hidden()


def test_undo_walks_back_over_what_was_done(page: Page, data: Path) -> None:
    keys = page.keyboard
    first = shown(page)
    keys.press("g")
    keys.press("5")
    keys.press("Enter")
    second = until_next(page, first)
    keys.press("s")
    third = until_next(page, second)
    keys.press("z")
    assert until_next(page, third) == second
    expect(page.locator("#queue-progress")).to_contain_text("1 judged · 0 skipped · 2 left")
    keys.press("z")
    assert until_next(page, second) == first
    expect(page.locator("#score input:checked")).to_have_value("5")
    assert rows(data, "SELECT withdrawn, revision FROM ratings") == [(1, 2)]
    keys.press("z")
    expect(page.locator("#queue-status")).to_contain_text("Nothing to undo")
    keys.press("Enter")
    assert until_next(page, first) == second
    assert stored_rating(data, first)[:2] == (1, 5)


def test_an_empty_rating_is_not_submitted_and_nothing_typed_is_lost(page: Page, data: Path) -> None:
    first = shown(page)
    page.keyboard.press("Enter")
    expect(page.locator("#queue-status").get_by_role("alert")).to_contain_text("A rating needs")
    assert shown(page) == first
    assert rows(data, "SELECT count(*) FROM ratings") == [(0,)]


def test_what_was_not_kept_is_judged_by_its_words_only_when_wanted(page: Page) -> None:
    page.get_by_label("Only with audio").uncheck()
    expect(page.locator("#queue-progress")).to_contain_text("4 left")
    silent = page.locator(".item", has_text="The audio was not stored")
    for left in (3, 2, 1):
        if silent.count():
            break
        page.locator("#skip").click()
        expect(page.locator("#queue-progress")).to_contain_text(f"{left} left")
    expect(silent).to_contain_text("About sound-dog.ogg?")
    expect(silent.locator("audio")).to_have_count(0)


def test_the_newest_come_first_where_that_is_chosen(page: Page) -> None:
    page.locator("#queue-order").get_by_text("Newest first").click()
    expect(page.locator(".item")).to_contain_text("About sound-siren.ogg?")
    page.get_by_label("Only with audio").uncheck()
    expect(page.locator("#queue-progress")).to_contain_text("4 left")
    for number, name in enumerate(("sound-rain", "music-piano", "sound-dog")):
        page.locator("#skip").click()
        expect(page.locator("#queue-progress")).to_contain_text(f"{number + 1} skipped")
        expect(page.locator(".item")).to_contain_text(f"About {name}.ogg?")


def test_an_answer_deleted_meanwhile_is_passed_over(page: Page, data: Path) -> None:
    first = shown(page)
    feedback = Feedback(open_database(settings_in(data).database_url))
    page.keyboard.press("g")
    feedback.forget(annotator="asker")
    page.keyboard.press("Enter")
    expect(page.locator("#queue-status").get_by_role("alert")).to_contain_text("no answer with that id")
    assert shown(page) == first
    page.reload()
    expect(page.locator(".empty")).to_contain_text("Nothing to judge yet.")
    feedback.database.close()


@pytest.mark.parametrize("choices", [{"repeat_share": 1.0, "judgements": 2}])
def test_what_was_judged_comes_again_and_counts_only_as_a_repeat(
    page: Page, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.annotation.repeats.GAP", 0)
    monkeypatch.setattr("ui.pages.annotate.handlers.random.randrange", lambda end: 0)  # not the last of all
    keys = page.keyboard
    expect(page.locator(".item")).to_contain_text("0 others, 2 wanted")
    expect(page.locator("#queue-head")).to_contain_text("come twice")
    first = shown(page)
    keys.press("g")
    keys.press("4")
    keys.press("Enter")
    until_next(page, first)
    page.reload()
    expect(page.locator(".item[data-ready]")).to_be_visible()
    assert shown(page) == first
    expect(page.locator("#judge input:checked")).to_have_count(0)
    keys.press("b")
    keys.press("4")
    keys.press("d")
    expect(page.locator("#queue-status")).to_contain_text("You have judged this answer before")
    keys.press("Enter")
    until_next(page, first)
    expect(page.locator(".steady")).to_contain_text("thumb 0 of 1 (0%–79%) · score 1 of 1")
    assert stored_rating(data, first)[:2] == (1, 4)
    assert rows(data, "SELECT number, thumb, score FROM repeats") == [(1, -1, 4)]
    keys.press("z")
    expect(page.locator(".steady")).to_be_hidden()
    assert shown(page) == first
    expect(page.locator("#thumb input:checked")).to_have_value("-1")
    assert rows(data, "SELECT count(*) FROM repeats") == [(0,)]
    keys.press("Enter")
    expect(page.locator(".steady")).to_contain_text("thumb 0 of 1")
    assert stored_rating(data, first)[:2] == (1, 4)


def test_a_second_tab_gets_what_the_first_holds_only_when_asked_or_once_that_is_closed(
    page: Page, data: Path
) -> None:
    held = {answer for (answer,) in rows(data, "SELECT answer_id FROM leases")}
    assert len(held) == 3
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.locator(".empty")).to_contain_text("The last 3 answers are on other people's pages")
    second.locator("#judge-leased").click()
    assert shown(page) == until_next(second, "")
    expect(second.locator("#judge-leased")).to_be_hidden()
    second.close()
    page.reload()  # later than the second tab's end is known here, or it holds them for some minutes
    expect(page.locator(".item[data-ready], .empty")).to_be_visible()
    for _ in range(20):
        if page.locator(".item[data-ready]").count():
            break
        page.reload()
        expect(page.locator(".item[data-ready], .empty")).to_be_visible()
    expect(page.locator(".item[data-ready]")).to_be_visible()
