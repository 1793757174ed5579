"""Ten minutes as a user has them written down: left, stopped, gone on with, heard, changed and saved."""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.pages import AppPage
from tests.serving import Server, rows

MINUTES = 10
WITHIN = """transcript => {
    const all = transcript.getBoundingClientRect();
    const line = transcript.querySelector(".current").getBoundingClientRect();
    return line.top >= all.top && line.bottom <= all.bottom;
}"""
REFUSE = "CREATE TRIGGER refuse BEFORE INSERT ON recording_ratings BEGIN SELECT RAISE(ABORT, 'full'); END"
PARTS = [20.0 * number for number in range(3 * MINUTES)]


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "lecture.wav"
    samples = np.random.default_rng(0).integers(-9000, 9000, MINUTES * 60 * 4000)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 4000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.fixture
def held(server: Server) -> Iterator[Server]:
    """What lies 100 s or more after the beginning is not heard before the test wants it."""
    server.engine.held_from = 100.0
    server.engine.may_hear.clear()
    yield server
    server.engine.may_hear.set()


def saved_as(app: AppPage, button: str) -> tuple[str, str]:
    with app.page.expect_download() as download:
        app.recording.get_by_role("button", name=button).click()
    return download.value.suggested_filename, Path(download.value.path()).read_text("utf-8")


def time_of(audio: Locator) -> float:
    return float(audio.evaluate("audio => audio.currentTime"))


def test_a_whole_recording(app: AppPage, held: Server, lecture: Path) -> None:
    recording, page, engine = app.recording, app.page, held.engine
    state, audio = recording.locator(".state"), recording.locator("audio")
    lines, segments = recording.locator(".transcript p"), recording.locator(".row")
    app.upload(lecture)
    app.whole.click()
    expect(state).to_contain_text("Heard 1:40 of 10:00")
    expect(lines.first).to_contain_text("word0 word1 word2 word3.")
    expect(lines).to_have_count(5 * 6)
    page.reload()
    expect(lines).to_have_count(5 * 6)  # the server has gone on meanwhile, and knows whose it is
    recording.get_by_role("button", name="Stop").click()
    assert engine.stop_hearing.wait(20)
    engine.may_hear.set()
    expect(state).to_contain_text("Stopped at 2:00 of 10:00")
    recording.get_by_role("button", name="Continue").click()
    expect(state).to_have_text("10:00")
    expect(lines).to_have_count(6 * len(PARTS))
    assert engine.heard_parts == PARTS, "nothing is heard twice"
    assert rows(held.data, "SELECT count(*) FROM recording_parts") == [(len(PARTS),)]

    # Only what is in view is on the page, but all of the text.
    assert recording.locator(".w").count() < 24 * len(PARTS) / 3
    assert segments.count() < 3 * len(PARTS) / 2
    expect(lines.last).to_contain_text(f"word{2 * (PARTS[-1] + 11.5):.0f}")

    # The transcript goes along with what is played.
    audio.evaluate("audio => { audio.currentTime = 400.2; }")
    expect(recording.locator(".transcript p.current")).to_contain_text("word800")
    assert recording.locator(".transcript").evaluate(WITHIN)

    # From the keyboard: to the third word of the second line, and play it.
    recording.locator(".transcript").focus()
    for key in ("Home", "ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(recording.locator(".transcript .w.now")).to_be_visible()
    expect(recording.locator(".caption .now")).to_be_visible()
    assert 3.0 <= time_of(audio) < 10.0
    audio.evaluate("audio => audio.pause()")
    recording.locator(".rows").focus()
    page.keyboard.press("End")
    expect(recording.locator(".row[aria-selected=true]")).to_contain_text("silence")
    recording.locator(".stage").focus()
    page.keyboard.press("Home")
    assert time_of(audio) == 0.0

    # A segment is relabelled and its border moved; both are taken back one after the other.
    page.keyboard.press("PageUp")  # to 30 s
    recording.locator(".rows").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    form = recording.locator("form.edit")
    expect(form.get_by_label("From (s)")).to_have_value("12.000")
    form.get_by_label("To (s)").fill("15.5")
    form.get_by_label("Kind").select_option("sound")
    form.get_by_label("What is in it").fill("a dog, rain")
    form.get_by_role("button", name="Save").click()
    expect(form).to_contain_text("Saved.")
    expect(segments.nth(1)).to_contain_text("0:15.5sounda dog, rain")
    name, table = saved_as(app, "CSV")
    assert name == "lecture.csv"
    assert "12.000,15.500,sound,,a dog; rain," in table
    form.get_by_role("button", name="Undo").click()
    expect(segments.nth(1)).to_contain_text("0:17.0sound")
    assert rows(held.data, "SELECT count(*) FROM segment_edits") == [(3,)]
    assert saved_as(app, "SRT")[1].startswith("1\n00:00:00,000 --> 00:00:01,900\nword0 word1 word2 word3.\n")
    assert saved_as(app, "TextGrid")[0] == "lecture.TextGrid"

    # Questions about all of it; one is stopped.
    question, reply = recording.get_by_label("Question about all of it"), recording.locator(".reply")
    question.fill("Something endless?")
    question.press("Enter")
    expect(reply).to_contain_text("on and on")
    recording.locator(".halt").click()
    expect(reply).to_have_attribute("aria-busy", "false")
    question.fill("And by span?")
    question.press("Enter")
    expect(reply.locator(".text")).to_contain_text("0:00 to 0:20: A lark sings.")
    recording.locator(".halt").click()
    expect(reply.locator(".progress-line")).to_have_text("Stopped.")
    expect(reply.locator(".text")).to_contain_text("A lark sings.")
    question.fill("What is it about?")
    recording.get_by_role("button", name="Ask about all of it").click()
    expect(reply.locator(".text")).to_contain_text("You asked: What is it about?")
    reply.get_by_role("button", name="0:00–0:20").click()
    assert time_of(audio) < 10.0
    audio.evaluate("audio => audio.pause()")

    # An answer is rated; what is typed outlives a refusal and a reload, and each answer has its own.
    rating = recording.locator("form.rate")
    note, comment = rating.locator(".note"), rating.get_by_label("Comment")
    rating.get_by_label("Good").check()
    rating.get_by_label("Correction").fill("Words.")
    rows(held.data, REFUSE)
    rating.get_by_role("button", name="Save rating").click()
    expect(note).to_have_class("note problem-line")
    rows(held.data, "DROP TRIGGER refuse")
    page.reload()
    expect(reply.locator(".text")).to_contain_text("You asked: What is it about?")
    expect(rating.get_by_label("Correction")).to_have_value("Words.")
    rating.get_by_role("button", name="Save rating").click()
    expect(note).to_have_text("Saved.")
    question.fill("Who speaks?")
    question.press("Enter")
    expect(reply.locator(".text")).to_contain_text("Who speaks? This is seed 0 after 0 turns.")
    expect(rating.get_by_label("Good")).not_to_be_checked()
    comment.fill("Nobody does.")
    recording.get_by_text("Asked before").click()
    recording.get_by_role("button", name="What is it about?").click()
    expect(rating.get_by_label("Good")).to_be_checked()
    rating.get_by_role("button", name="Withdraw").click()
    expect(note).to_have_text("Withdrawn.")
    expect(rating.get_by_label("Correction")).to_have_value("")
    recording.get_by_role("button", name="Who speaks?").click()
    expect(comment).to_have_value("Nobody does.")
    states = "SELECT thumb, correction, withdrawn FROM recording_ratings ORDER BY number"
    assert rows(held.data, states) == [(1, "Words.", 0), (None, None, 1)]

    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    recording.get_by_role("button", name="Close").click()
    expect(lines.first).to_be_hidden()
    recording.get_by_text("Your recordings").click()
    recording.get_by_role("button", name="lecture.wav", exact=True).click()
    expect(lines).to_have_count(6 * len(PARTS))
