"""Spans marked in the picture and tokens judged by ear, in a real browser."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.pages import AppPage
from tests.fake_engine import TOKEN_SECONDS
from tests.serving import EXAMPLES, Server, rows

DOG = EXAMPLES / "sound-dog.ogg"
HOSTILE = "<img src=x onerror='window.hit=1'>"


@pytest.fixture
def answered(app: AppPage) -> AppPage:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    expect(app.picture).to_have_attribute("data-audio", "ready")
    expect(app.picture.locator("button.mark")).to_be_visible()
    app.stage.scroll_into_view_if_needed()
    return app


def x_of(app: AppPage, seconds: float) -> float:
    box, view = app.stage.bounding_box(), app.picture.get_attribute("data-view")
    assert box is not None
    assert view is not None
    start, end = map(float, view.split(","))
    return 44 + (seconds - start) / (end - start) * (box["width"] - 54)


def drag(app: AppPage, start: float, end: float) -> None:
    box, mouse = app.stage.bounding_box(), app.page.mouse
    assert box is not None
    mouse.move(box["x"] + x_of(app, start), box["y"] + 200)
    mouse.down()
    mouse.move(box["x"] + x_of(app, end), box["y"] + 205, steps=4)
    mouse.up()


def kept(server: Server, table: str) -> list[tuple[Any, ...]]:
    columns = {
        "spans": "round(start_s, 2), round(end_s, 2), label, comment, withdrawn",
        "span_revisions": "number, round(start_s, 2), label, withdrawn",
        "token_verdicts": "token, verdict, flagged, significance",
    }[table]
    return rows(server.data, f"SELECT {columns} FROM {table} ORDER BY rowid")


@pytest.fixture(autouse=True)
def nothing_kept(server: Server) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{server.data / 'feedback.db'}")
    with engine.begin() as connection:
        for table in ("span_revisions", "spans", "token_verdicts"):
            connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()


def test_a_drag_with_shift_marks_a_span_and_plays_nothing(answered: AppPage, server: Server) -> None:
    answered.page.keyboard.down("Shift")
    drag(answered, 2.0, 1.0)
    answered.page.keyboard.up("Shift")
    form = answered.picture.locator(".mark-form")
    expect(form).to_be_visible()
    assert not answered.picture.get_attribute("data-played")
    form.get_by_text("wrong").click()
    form.get_by_label("Comment").fill(HOSTILE)
    form.get_by_role("button", name="Save").click()
    expect(answered.picture.locator(".marked li")).to_have_count(1)
    expect(form).to_be_hidden()
    [(start, end, label, comment, withdrawn)] = kept(server, "spans")
    assert (start, end) == (pytest.approx(1.0, abs=0.03), pytest.approx(2.0, abs=0.03))
    assert (label, comment, withdrawn) == ("wrong", HOSTILE, 0)
    expect(answered.picture.locator(".marked li")).to_contain_text(HOSTILE)
    assert answered.page.evaluate("window.hit") is None
    band = answered.picture.locator(".span").bounding_box()
    stage = answered.stage.bounding_box()
    assert band is not None
    assert stage is not None
    assert band["x"] - stage["x"] == pytest.approx(x_of(answered, start), abs=2)
    assert band["width"] == pytest.approx(x_of(answered, end) - x_of(answered, start), abs=3)


def test_in_mark_mode_a_plain_drag_marks_and_without_it_plays(answered: AppPage) -> None:
    form, button = answered.picture.locator(".mark-form"), answered.picture.locator("button.mark")
    button.click()
    drag(answered, 3.0, 3.5)
    expect(form).to_be_visible()
    expect(form.get_by_label("From")).to_have_value(re.compile(r"^(2\.9|3\.0)"))
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_be_hidden()
    button.click()
    drag(answered, 3.0, 3.5)
    expect(form).to_be_hidden()
    assert answered.picture.get_attribute("data-played")


def test_a_span_is_marked_changed_and_withdrawn_by_keyboard(answered: AppPage, server: Server) -> None:
    stage, press = answered.stage, answered.page.keyboard.press
    stage.focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "i", "ArrowRight", "ArrowRight", "o", "m"):
        press(key)
    expect(answered.picture.locator(".mark-form")).to_be_visible()
    press("ArrowRight")  # the next label
    press("Enter")
    expect(answered.picture.locator(".marked li")).to_have_count(1)
    assert kept(server, "spans") == [
        (round(10 * TOKEN_SECONDS, 2), round(13 * TOKEN_SECONDS, 2), "mattered", None, 0)
    ]
    expect(stage).to_be_focused()
    answered.picture.get_by_role("button", name="Change mattered").focus()
    press("Enter")
    answered.picture.locator(".mark-form").get_by_label("To").fill("3")
    press("Enter")
    expect(answered.picture.locator(".marked")).to_contain_text("1.60–3.00 s")
    answered.picture.get_by_role("button", name="Change mattered").press("Enter")
    answered.picture.get_by_role("button", name="Withdraw").press("Enter")
    expect(answered.picture.locator(".marked")).to_be_hidden()
    assert kept(server, "span_revisions") == [
        (1, 1.6, "mattered", 0), (2, 1.6, "mattered", 0), (3, 1.6, "mattered", 1)
    ]  # fmt: skip


def test_the_last_change_of_a_span_can_be_undone(answered: AppPage, server: Server) -> None:
    picture, press = answered.picture, answered.page.keyboard.press
    undo, form = picture.get_by_role("button", name="Undo the last mark"), picture.locator(".mark-form")
    expect(undo).to_be_hidden()

    def mark() -> None:
        answered.stage.focus()
        for key in ("Home", "m", "Enter"):
            press(key)
        expect(picture).to_have_attribute("data-marks", "1")

    mark()
    undo.click()
    expect(picture).to_have_attribute("data-marks", "0")
    expect(undo).to_be_hidden()
    mark()
    before = picture.locator(".marked .hear").inner_text()
    picture.get_by_role("button", name="Change missed").click()
    form.get_by_label("To").fill("3")
    press("Enter")
    expect(picture.locator(".marked .hear")).to_contain_text("3.00 s")
    undo.click()
    expect(picture.locator(".marked .hear")).to_have_text(before)
    picture.get_by_role("button", name="Change missed").click()
    picture.get_by_role("button", name="Withdraw").click()
    expect(picture).to_have_attribute("data-marks", "0")
    undo.click()
    expect(picture.locator(".marked .hear")).to_have_text(before)
    assert [span[4] for span in kept(server, "spans")] == [1, 0]


def test_spans_are_there_again_with_their_answer(answered: AppPage) -> None:
    answered.stage.focus()
    for key in ("ArrowRight", "m", "Enter"):
        answered.page.keyboard.press(key)
    expect(answered.picture).to_have_attribute("data-marks", "1")
    answered.retry.click()
    expect(answered.answer_text).to_contain_text("This is seed 1")
    answered.wait_for_answer()
    expect(answered.picture).to_have_attribute("data-marks", "0")
    answered.entries.get_by_text("This is seed 0").click()
    expect(answered.picture).to_have_attribute("data-marks", "1")
    expect(answered.picture.locator(".marked")).to_contain_text("0.00–0.16 s")


def test_what_was_typed_stays_when_it_cannot_be_saved(answered: AppPage, server: Server) -> None:
    answered.stage.focus()
    for key in ("ArrowRight", "m"):
        answered.page.keyboard.press(key)
    form = answered.picture.locator(".mark-form")
    form.get_by_label("Comment").fill("a long thought")
    form.get_by_label("To").fill("99")
    for _ in range(2):  # the same refusal is heard twice
        form.get_by_role("button", name="Save").click()
        expect(form.locator(".problem")).to_contain_text("within what the model heard")
        expect(form.get_by_role("button", name="Save")).to_be_enabled()
    expect(form.get_by_label("Comment")).to_have_value("a long thought")
    form.get_by_label("To").fill("1")
    form.get_by_role("button", name="Save").click()
    expect(answered.picture.locator(".marked")).to_contain_text("a long thought")


def test_downloads_hold_the_spans(answered: AppPage, browser: Browser, tmp_path: Path) -> None:
    answered.stage.focus()
    for key in ("ArrowRight", "m"):
        answered.page.keyboard.press(key)
    answered.picture.get_by_label("Comment").fill(HOSTILE)
    answered.page.keyboard.press("Enter")
    expect(answered.picture).to_have_attribute("data-marks", "1")
    files = []
    for name in ("JSON", "Offline page"):
        with answered.page.expect_download() as download:
            answered.picture.get_by_role("button", name=name, exact=True).click()
        files.append(download.value.path().read_text())
    [span] = json.loads(files[0])["spans"]
    assert (span["start"], span["end"], span["label"]) == (0.0, TOKEN_SECONDS, "missed")
    file = tmp_path / "page.html"
    file.write_text(files[1])
    page = browser.new_page()
    page.goto(file.as_uri())
    expect(page.locator(".marked li")).to_have_text(re.compile("0.00–0.16 s.*missed.*<img"))
    expect(page.get_by_role("button", name="Mark", exact=True)).to_have_count(0)
    assert page.evaluate("window.hit") is None
    page.close()


def test_tokens_are_judged_from_the_keyboard_one_after_another(answered: AppPage, server: Server) -> None:
    flagged = int(answered.picture.get_attribute("data-redundant") or 0)
    judge, press = answered.picture.locator("button.judge"), answered.page.keyboard.press
    judge.click()
    panel = answered.picture.locator(".verdicts")
    expect(panel).to_be_visible()
    total = int((panel.locator(".count").inner_text()).split(" of ")[1])
    assert flagged > total == 20, "a round has an end"
    heard = set()
    for n in range(total):
        expect(panel.locator(".count")).to_have_text(f"{n + 1} of {total}")
        [[start, end]] = json.loads(answered.picture.get_attribute("data-played") or "")
        heard.add(round(start / TOKEN_SECONDS))
        assert end - start <= TOKEN_SECONDS + 0.001
        press(str(n % 3 + 1))
    expect(panel).to_be_hidden()
    expect(answered.picture).to_have_attribute("data-judged", str(total))
    verdicts = kept(server, "token_verdicts")
    assert {token for token, *_ in verdicts} == heard
    assert len(verdicts) == total
    assert sum(flag for *_, flag, _ in verdicts) == 16
    assert all((significance <= 0.5) == bool(flag) for *_, flag, significance in verdicts)
    for verdict in ("mattered", "did_not", "unclear"):
        assert total // 3 <= sum(given == verdict for _, given, *_ in verdicts) <= total // 3 + 1


def test_a_verdict_is_taken_back_and_the_rest_is_for_later(answered: AppPage, server: Server) -> None:
    judge, press = answered.picture.locator("button.judge"), answered.page.keyboard.press
    judge.click()
    panel = answered.picture.locator(".verdicts")
    press("1")
    expect(answered.picture).to_have_attribute("data-judged", "1")
    press("z")
    expect(panel.locator(".count")).to_have_text(re.compile(r"^1 of"))
    expect(panel.get_by_role("button", name="did matter")).to_have_attribute("aria-pressed", "true")
    press("2")
    press("3")
    press("Escape")
    expect(panel).to_be_hidden()
    expect(answered.picture).to_have_attribute("data-judged", "2")
    deadline = time.monotonic() + 20
    while [given for _, given, *_ in kept(server, "token_verdicts")] != ["did_not", "unclear"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    left = int((panel.locator(".count").text_content() or "").split(" of ")[1]) - 2
    judge.click()
    again = int(panel.locator(".count").inner_text().split(" of ")[1])
    assert abs(again - left) <= 7, "other controls may be drawn"
    press("Escape")
