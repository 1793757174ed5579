"""The page in a real browser, with the small engine behind it."""

import json
import re
import sqlite3
import struct
import threading
import time
import wave
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from tests.browser.pages import AppPage
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, Server, rows, serve, settings_in, until
from usam.audio.clip import load_clip
from usam.errors import WeightsError
from usam.progress import ProgressCallback

DOG = EXAMPLES / "sound-dog.ogg"
PIANO = EXAMPLES / "music-piano.ogg"


@pytest.fixture
def long_clip(tmp_path: Path) -> Path:
    """40 s of a rising tone."""
    times = np.arange(40 * 16_000) / 16_000
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, len(times), "NONE", ""))
        file.writeframes((9000 * np.sin(2 * np.pi * (200 + 10 * times) * times)).astype("<i2").tobytes())
    return path


def wav_of(samples: np.ndarray) -> bytes:
    """float32 [samples] at 16 kHz as a WAV file of floats."""
    data = samples.astype("<f4").tobytes()
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, 16_000, 64_000, 4, 32)
    body = b"WAVE" + header + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def latest_answer(data: Path, columns: str) -> tuple:
    return rows(data, f"SELECT {columns} FROM answers ORDER BY created_at DESC LIMIT 1")[0]


def test_upload_ask_see_and_rate(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    expect(app.outlook).to_contain_text("0.0–7.4 s of 7.4 s")
    app.ask_about("What animal is this?")
    expect(app.answer_text).to_contain_text("You asked: What animal is this?")
    expect(app.heard).to_contain_text("Heard 0.0–7.4 s of 7.4 s")
    expect(app.thread).not_to_contain_text("Your answer appears here")
    assert "audio tokens" in (app.picture.get_attribute("aria-label") or "")
    app.rate(thumb="Good", score=4, correction="A dog barks.", comment="close")
    expect(app.rating_status).to_contain_text("Saved")
    rating = rows(
        server.data,
        "SELECT r.thumb, r.score, r.correction, r.comment, a.question, a.clip_sha256 FROM ratings r "
        "JOIN answers a ON a.id = r.answer_id ORDER BY r.created_at DESC LIMIT 1",
    )[0]
    assert rating[:5] == (1, 4, "A dog barks.", "close", "What animal is this?")
    assert rating[5] == server.engine.asked[-1]["clip"].sha256


def test_two_pages_are_answered_at_once(app: AppPage, visitor: BrowserContext, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("endless", finished=False)
    expect(app.answer_text).to_contain_text("on and on")
    other = AppPage(visitor.new_page(), server.url)
    other.upload(DOG)
    other.ask_about("Meanwhile?")
    expect(other.answer_text).to_contain_text("You asked: Meanwhile?")
    other.page.close()
    app.stop.click()
    app.wait_for_answer()


def test_an_empty_question_asks_the_tasks_own_prompt(app: AppPage, server: Server) -> None:
    app.upload(PIANO)
    app.choose_task("Describe music")
    expect(app.question_box).to_have_attribute("placeholder", "Describe the music.")
    app.ask_about("")
    assert latest_answer(server.data, "task, question") == ("mc", "Describe the music.")


@pytest.mark.parametrize(
    "example", ["The new jail", "Chapter one", "Dog", "Heavy rain", "Piano", "Jazz guitar"]
)
def test_an_example_runs_with_one_click(app: AppPage, example: str) -> None:
    app.examples.get_by_text(example, exact=True).click()
    app.wait_for_answer()
    expect(app.answer_text).to_contain_text("You asked:")
    expect(app.outlook).to_contain_text("Will hear")


def test_a_suggestion_is_asked_with_one_click(app: AppPage) -> None:
    app.upload(PIANO)
    app.suggestions.get_by_text("Which instrument?", exact=True).click()
    app.wait_for_answer()
    expect(app.answer_text).to_contain_text("You asked: Which instrument is playing?")
    expect(app.question_box).to_have_value("Which instrument is playing?")


def test_a_failed_answer_says_so_once_and_keeps_the_question(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    before = len(rows(server.data, "SELECT id FROM answers"))
    app.ask_about("please fail", finished=False)
    expect(app.notice).to_have_text("The question cannot be answered; ask another one.")
    expect(app.ask_button).to_be_visible()
    expect(app.question_box).to_have_value("please fail")
    expect(app.page.get_by_text("cannot be answered")).to_have_count(1)
    expect(app.rating_form).to_be_hidden()
    assert len(rows(server.data, "SELECT id FROM answers")) == before
    app.ask_about("What is it?")
    expect(app.notice).not_to_contain_text("cannot be answered")


def test_an_unexpected_error_does_not_show_its_details(app: AppPage) -> None:
    app.upload(DOG)
    app.ask_about("please crash", finished=False)
    expect(app.notice).to_contain_text("Something went wrong in the model.")
    expect(app.page.get_by_text("secret detail")).to_have_count(0)


def test_a_failure_leaves_the_earlier_answer_on_display(app: AppPage) -> None:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    app.ask_about("please fail", finished=False)
    expect(app.notice).to_contain_text("cannot be answered")
    expect(app.answer_text).to_contain_text("What animal is this?")
    expect(app.picture).to_be_visible()
    expect(app.rating_form).to_be_visible()


def test_without_a_clip_one_sentence_asks_for_it(app: AppPage) -> None:
    app.ask_about("What is this?", finished=False)
    expect(app.notice).to_have_text("Record or upload a clip first, or pick an example.")
    expect(app.ask_button).to_be_visible()


def test_a_clip_that_cannot_be_heard_is_refused_at_once_and_nothing_typed_is_lost(
    app: AppPage, tmp_path: Path
) -> None:
    refused = {
        "empty.wav": (b"", "is empty"),
        "notes.wav": (b"this is no audio" * 64, "damaged, or not audio"),
        "click.wav": (wav_of(np.zeros(16)), "too short"),
        "numbers.wav": (wav_of(np.full(16_000, np.nan)), "not finite"),
    }
    app.upload(DOG)
    app.ask_about("What animal is this?")
    typed = {
        app.question_box: "my question",
        app.correction.locator("textarea"): "my correction",
        app.comment.locator("textarea"): "my comment",
    }
    for box, words in typed.items():
        box.fill(words)
    for name, (content, sentence) in refused.items():
        (tmp_path / name).write_bytes(content)
        app.put(tmp_path / name)
        expect(app.outlook.get_by_role("alert")).to_contain_text(sentence)
        app.ask_button.click()
        expect(app.notice.get_by_role("alert")).to_contain_text(sentence)
        for box, words in typed.items():
            expect(box).to_have_value(words)


def test_stop_ends_the_answer_and_keeps_what_was_written(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("endless", finished=False)
    expect(app.answer_text).to_contain_text("on and on and")
    app.stop.click()
    app.wait_for_answer()
    assert server.engine.writing == 0
    stopped, written = latest_answer(server.data, "stopped, text")
    assert stopped == 1
    expect(app.answer_text).to_contain_text(written.strip())


def test_closing_the_page_stops_the_model(browser: Browser, server: Server) -> None:
    context = browser.new_context()
    app = AppPage(context.new_page(), server.url)
    app.upload(DOG)
    app.ask_about("endless", finished=False)
    expect(app.answer_text).to_contain_text("on and on")
    assert server.engine.writing == 1
    context.close()
    deadline = time.monotonic() + 20
    while server.engine.writing and time.monotonic() < deadline:
        time.sleep(0.1)
    assert server.engine.writing == 0


def test_a_rating_can_be_changed_and_withdrawn(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("Which animal?")
    app.rate(thumb="Bad")
    expect(app.rating_status).to_contain_text("Saved")
    newest = "(SELECT id FROM ratings ORDER BY created_at DESC LIMIT 1)"
    app.rate(thumb="Good", score=5)
    assert until(lambda: rows(server.data, f"SELECT score FROM ratings WHERE id = {newest}") == [(5,)])
    expect(app.page.locator("#save")).to_have_text("Save changes")
    app.withdraw.click()
    expect(app.rating_status).to_contain_text("Withdrawn")
    expect(app.rating_form.locator("input:checked")).to_have_count(0)
    history = (
        f"SELECT thumb, score, withdrawn FROM rating_revisions WHERE rating_id = {newest} ORDER BY number"
    )
    assert rows(server.data, history) == [(-1, None, 0), (1, 5, 0), (None, None, 1)]


def test_a_rating_that_cannot_be_saved_keeps_what_was_typed(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("Soon gone?")
    with sqlite3.connect(server.data / "feedback.db") as database:
        database.execute("DELETE FROM answers WHERE question = 'Soon gone?'")
    app.rate(thumb="Good", correction="my long correction")
    expect(app.rating_status.get_by_role("alert")).to_be_visible()
    expect(app.rating_status).not_to_contain_text("Saved")
    expect(app.correction.locator("textarea")).to_have_value("my long correction")


def test_an_empty_rating_is_not_saved(app: AppPage) -> None:
    app.upload(DOG)
    app.ask_about("Anything?")
    app.save.click()
    expect(app.rating_status.get_by_role("alert")).to_be_visible()


def test_a_reload_keeps_the_annotator(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("before")
    app.page.reload()
    expect(app.outlook).to_contain_text("Will hear")
    app.upload(DOG)
    app.ask_about("after")
    people = rows(
        server.data,
        "SELECT DISTINCT p.public_id FROM answers a JOIN annotators p ON p.id = a.annotator_id "
        "WHERE a.question IN ('before', 'after')",
    )
    assert len(people) == 1
    assert len(people[0][0]) >= 16


def test_a_restart_keeps_the_annotator(browser: Browser, tmp_path: Path) -> None:
    """The browser's note is encrypted; the key must outlive the server. Ports differ between the two runs,
    so the note is carried over as the browser would for a fixed address."""
    context, note = browser.new_context(), "usam-annotator"
    with serve(settings_in(tmp_path), lambda progress: FakeEngine()) as url:
        app = AppPage(context.new_page(), url)
        app.upload(DOG)
        app.ask_about("before")
        kept = app.page.evaluate("key => localStorage.getItem(key)", note)
    assert kept
    with serve(settings_in(tmp_path), lambda progress: FakeEngine()) as url:
        context.add_init_script(f"localStorage.getItem('{note}') ?? localStorage.setItem('{note}', {kept!r})")
        app = AppPage(context.new_page(), url)
        app.upload(DOG)
        app.ask_about("after")
    context.close()
    assert rows(tmp_path, "SELECT count(*) FROM annotators") == [(1,)]


def test_of_a_long_clip_the_chosen_span_is_heard(app: AppPage, server: Server, long_clip: Path) -> None:
    app.upload(long_clip)
    expect(app.outlook).to_contain_text("0.0–30.0 s of 40.0 s")
    region, start = app.span_region.locator(".region"), app.span_start.get_by_role("spinbutton")
    expect(region.locator(".stage path")).to_have_attribute("d", re.compile("^M"))
    start.fill("5")
    start.press("Enter")
    expect(app.outlook).to_contain_text("5.0–35.0 s of 40.0 s")
    whole = region.get_by_role("slider", name="Span", exact=True)
    expect(whole).to_have_attribute("aria-valuetext", "5.0 to 35.0 seconds")

    def drag(part: Locator, seconds: float) -> None:
        box, track = part.bounding_box(), region.locator(".stage .track").bounding_box()
        assert box is not None
        assert track is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        app.page.mouse.move(x, y)
        app.page.mouse.down()
        app.page.mouse.move(x + seconds / 40 * track["width"], y, steps=3)
        app.page.mouse.up()

    drag(region.get_by_role("slider", name="End of the span"), -20)
    drag(whole, 4)
    whole.press("Shift+ArrowRight")
    begin = float(start.input_value())
    length = float(app.span_length.get_by_role("spinbutton").input_value())
    assert begin == pytest.approx(9.1, abs=0.3)
    assert length == pytest.approx(10, abs=0.3)
    expect(app.outlook).to_contain_text(f"{begin:.1f}–{begin + length:.1f} s of 40.0 s")
    region.get_by_role("button", name="Hear the span").click()
    expect(region).to_have_attribute("data-playing", "true")
    region.get_by_role("button", name="Stop").click()
    app.ask_about("What is it?")
    heard = f"{begin:.1f}–{begin + length:.1f} s of 40.0 s"
    expect(app.heard).to_contain_text(f"Heard {heard}. The rest was not heard.")
    assert latest_answer(server.data, "heard_start, heard_end") == pytest.approx((begin, begin + length))
    app.upload(DOG)
    expect(app.span_start).to_be_hidden()
    app.ask_about("And this?")
    expect(app.heard).to_contain_text("Heard 0.0–7.4 s of 7.4 s.")


def test_a_follow_up_knows_the_turns_before(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    app.follow_up.click()
    expect(app.question_box).to_have_value("")
    app.question_box.press_sequentially("Is it")
    expect(app.context).to_contain_text("1 earlier turn")
    app.question_box.press_sequentially(" loud?")
    app.ask_button.click()
    expect(app.answer_text).to_contain_text("Is it loud? This is seed 0 after 1 turns.")
    app.wait_for_answer()
    expect(app.thread).to_contain_text("What animal is this?")
    turns = server.engine.asked[-1]["history"]
    assert [turn.question for turn in turns] == ["What animal is this?"]
    expect(app.context).to_be_hidden()
    parent = (
        "SELECT p.question FROM answers a JOIN answers p ON p.id = a.parent_id "
        "WHERE a.question = 'Is it loud?'"
    )
    assert rows(server.data, parent) == [("What animal is this?",)]


def test_a_follow_up_brings_the_answers_clip_back(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    app.upload(PIANO)
    app.follow_up.click()
    expect(app.outlook).to_contain_text("of 7.4 s")
    expect(app.context).to_contain_text("1 earlier turn")
    app.ask_about("Is it loud?")
    asked = server.engine.asked[-1]
    assert round(asked["clip"].duration, 1) == 7.4
    assert [turn.question for turn in asked["history"]] == ["What animal is this?"]


def test_another_clip_ends_the_follow_up(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    app.follow_up.click()
    expect(app.context).to_be_visible()
    app.upload(PIANO)
    expect(app.context).to_be_hidden()
    app.ask_about("Which instrument?")
    assert server.engine.asked[-1]["history"] == ()
    assert round(server.engine.asked[-1]["clip"].duration, 1) == 9.7


def test_retry_uses_another_seed_and_earlier_answers_open_again(app: AppPage) -> None:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    app.rate(score=2)
    expect(app.rating_status).to_contain_text("Saved")
    app.retry.click()
    expect(app.answer_text).to_contain_text("This is seed 1")
    app.wait_for_answer()
    expect(app.meters).to_contain_text("seed 1, temperature 0.7")
    expect(app.rating_form.locator("input:checked")).to_have_count(0)
    app.entries.get_by_text("This is seed 0").click()
    expect(app.answer_text).to_contain_text("This is seed 0")
    expect(app.rating_status).to_contain_text("Saved earlier")
    expect(app.score.locator("input:checked")).to_have_value("2")
    expect(app.picture).to_be_visible()
    app.retry.click()
    expect(app.answer_text).to_contain_text("This is seed 2")


def test_edit_brings_the_question_back(app: AppPage) -> None:
    app.upload(DOG)
    app.choose_task("Describe sound")
    app.ask_about("What animal is it?")
    app.question_box.fill("something else")
    app.edit.click()
    expect(app.question_box).to_have_value("What animal is it?")
    expect(app.question_box).to_be_focused()


def test_the_main_path_works_by_keyboard(app: AppPage) -> None:
    app.upload(DOG)
    app.task.get_by_label("Ask", exact=True).focus()
    app.page.keyboard.press("Tab")
    app.page.keyboard.press("Space")
    expect(app.task.get_by_label("Transcribe", exact=True)).to_be_checked()
    app.question_box.focus()
    app.page.keyboard.type("What is said?")
    app.page.keyboard.press("Enter")
    app.wait_for_answer()
    expect(app.answer_text).to_contain_text("What is said?")


def test_what_people_write_is_text_not_markup(app: AppPage) -> None:
    markup = "<img src=x onerror='document.title=1'> {{value}} ${1+1} `x`"
    app.upload(DOG)
    app.ask_about(markup)
    expect(app.answer_text).to_contain_text(markup)
    expect(app.page).to_have_title("U-SAM Studio")


def test_the_limits_are_shown_where_people_ask_and_lead_to_the_card(app: AppPage) -> None:
    heading = app.card.get_by_role("heading", name="What it cannot")
    expect(heading).to_be_hidden()
    app.limits.get_by_role("link", name="what it can and cannot do").click()
    expect(heading).to_be_in_viewport()
    app.limits.get_by_role("link").click()
    expect(heading).to_be_visible()


def test_picture_and_record_can_be_downloaded(app: AppPage) -> None:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    with app.page.expect_download() as download:
        app.page.get_by_role("button", name="PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    with app.page.expect_download() as download:
        app.page.get_by_role("button", name="JSON").click()
    record = json.loads(Path(download.value.path()).read_text())
    assert record["question"] == "What animal is this?"
    assert record["tokens"][-1]["end"] == pytest.approx(record["heard"]["end"])


def test_audio_is_kept_only_when_asked(app: AppPage, server: Server) -> None:
    app.upload(PIANO)
    app.ask_about("not kept")
    assert latest_answer(server.data, "audio_kept") == (0,)
    assert not list(server.data.glob("audio/*"))
    app.keep.get_by_role("checkbox").check()
    app.ask_about("kept")
    assert latest_answer(server.data, "audio_kept") == (1,)
    (kept,) = server.data.glob("audio/*")
    assert load_clip(kept).sha256 == server.engine.asked[-1]["clip"].sha256


def test_the_page_is_up_before_the_model_and_questions_wait(browser: Browser, tmp_path: Path) -> None:
    go_on = threading.Event()

    def load(progress: ProgressCallback) -> FakeEngine:
        progress("Fetching Whisper base", 0.4)
        go_on.wait(60)
        return FakeEngine()

    with serve(settings_in(tmp_path), load) as url:
        context = browser.new_context()
        app = AppPage(context.new_page(), url)
        expect(app.banner).to_contain_text("Fetching Whisper base 40 %")
        app.upload(DOG)
        app.ask_about("early", finished=False)
        expect(app.heard).to_contain_text("still loading (Fetching Whisper base, 40 %)")
        go_on.set()
        app.wait_for_answer()
        expect(app.answer_text).to_contain_text("early")
        app.wait_until_ready()
        context.close()


def test_a_model_that_fails_to_load_says_why_and_is_tried_again(browser: Browser, tmp_path: Path) -> None:
    loads = []

    def load(progress: ProgressCallback) -> FakeEngine:
        loads.append(1)
        if len(loads) == 1:
            raise WeightsError("The weights could not be fetched; check the network.")
        return FakeEngine()

    with serve(settings_in(tmp_path), load) as url:
        context = browser.new_context()
        app = AppPage(context.new_page(), url)
        expect(app.banner).to_contain_text("check the network")
        app.upload(DOG)
        app.ask_about("again")
        expect(app.answer_text).to_contain_text("again")
        context.close()


def test_the_database_is_never_served(server: Server) -> None:
    (server.data / "browser-secret").write_text("of an earlier version")
    for name in ("feedback.db", "browser-secret"):
        reply = httpx.get(f"{server.url}gradio_api/file={server.data / name}")
        assert reply.status_code == 403, name


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1920, "dark"), (375, "dark")])
def test_it_fits_the_screen(
    browser: Browser, server: Server, tmp_path: Path, width: int, scheme: str
) -> None:
    """Nothing hangs over the edge or moves under the mouse, every control can be hit, and what belongs
    together is in view together; leaves a screenshot to look at."""
    context = browser.new_context(
        viewport={"width": width, "height": 1080 if width > 1500 else 800}, color_scheme=scheme
    )
    app = AppPage(context.new_page(), server.url)
    app.wait_until_ready()
    expect(app.tour.get_by_role("button", name="Not now")).to_be_visible()
    expect(app.ask_button).to_be_in_viewport(ratio=1)
    example = app.examples.get_by_text("Dog", exact=True)
    top = "element => element.getBoundingClientRect().top + scrollY"
    before = example.evaluate(top)
    example.click()
    app.wait_for_answer()
    app.page.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)
    assert example.evaluate(top) == pytest.approx(before, abs=1)
    assert app.page.evaluate("document.documentElement.scrollWidth") <= width
    expect(app.answer_text).to_be_in_viewport(ratio=1)
    if width > 1000:
        expect(app.thumb).to_be_in_viewport(ratio=1)
        expect(app.stage).to_be_in_viewport(ratio=0.5)
    for control in (
        app.ask_button,
        app.page.locator("#save"),
        app.retry,
        app.task.get_by_text("Ask", exact=True),
    ):
        box = control.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    context.close()
