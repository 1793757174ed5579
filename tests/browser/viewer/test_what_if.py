"""The section "What if" and links to stored answers, in a real browser, on a tiny model with real classes."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests import tiny
from tests.browser.pages import AppPage, exported, offline
from tests.serving import EXAMPLES, serve, settings_in
from ui.studio.service import heard_file
from ui.what_if.outcomes import outcome_of
from usam.audio.clip import load_clip
from usam.engine.engine import Engine
from usam.interpretability.deletion import SEEDS, deletion_test
from usam.interpretability.intervention import intervene
from usam.schema.interventions import ForceExpert

DOG = EXAMPLES / "sound-dog.ogg"
PIANO = EXAMPLES / "music-piano.ogg"
QUESTION = "What animal is this?"


@dataclass(frozen=True)
class Tiny:
    url: str
    engine: Engine


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """The app around a tiny model: its answers are gibberish, its numbers computed as the real one's."""
    engine = tiny.engine(tmp_path_factory.mktemp("checkpoint"))
    with serve(settings_in(tmp_path_factory.mktemp("data")), lambda progress: engine) as url:
        yield Tiny(url, engine)


@pytest.fixture
def answered(app: AppPage) -> AppPage:
    app.upload(DOG)
    app.ask_about(QUESTION)
    expect(app.what_if).to_be_visible()
    return app


def run(app: AppPage, button: str) -> None:
    """Press a button of the section and wait until it has been disabled and is enabled again."""
    app.page.evaluate(
        """(id) => {
            const button = document.getElementById(id);
            window.ran = new Promise((done) => {
                let busy = false;
                const look = () => (button.disabled ? (busy = true) : busy && done());
                new MutationObserver(look).observe(button, { attributes: true });
            });
        }""",
        button,
    )
    app.page.locator(f"#{button}").click()
    app.page.evaluate("window.ran")
    expect(app.study).to_be_hidden()


def opened(app: AppPage, tab: str) -> None:
    """Open a tab of the section. Gradio gives the fields of a tab their values once it is open."""
    app.page.get_by_role("tab", name=tab).click()
    panel = app.what_if.get_by_role("tabpanel").filter(visible=True)
    expect(panel.get_by_role("button").last).to_be_visible()
    if tab == "Other model":
        for choice in panel.locator("fieldset:visible").all():
            expect(choice.get_by_role("radio", checked=True)).to_have_count(1)


def paint(app: AppPage, left: float, right: float) -> None:
    """Drag over the picture, between these pixels."""
    app.stage.scroll_into_view_if_needed()
    box, mouse = app.stage.bounding_box(), app.page.mouse
    assert box is not None
    mouse.move(box["x"] + left, box["y"] + 150)
    mouse.down()
    mouse.move(box["x"] + right, box["y"] + 150, steps=3)
    mouse.up()


def rows(app: AppPage) -> list[list[str]]:
    """Head, likelihood and dropped tokens of every change, the latest first."""
    lines = app.outcomes.locator("tbody tr:not(.before)").all()
    cells = ("th", "[data-label=Likelihood]", "[data-label=Dropped]")
    return [[line.locator(cell).inner_text().replace("\xa0", " ") for cell in cells] for line in lines]


def link_of(app: AppPage) -> str:
    app.picture.get_by_role("button", name="Copy link").click()
    expect(app.picture.locator(".note")).to_contain_text("The link to this answer is in the address bar")
    return app.page.url


@pytest.fixture
def visit(visitor: BrowserContext, server: Tiny) -> Iterator[BrowserContext]:
    """Somebody else's browser, for whom the link is all there is."""
    browser = visitor.browser
    assert browser is not None
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


def test_a_forced_expert_changes_the_answer_as_the_model_says(answered: AppPage, server: Tiny) -> None:
    answered.change.get_by_text("only expert 2").click()
    run(answered, "again")
    clip = load_clip(DOG)
    expected = outcome_of(intervene(server.engine, clip, server.engine.ask(clip, QUESTION), ForceExpert(1)))
    assert expected.logprob_change != 0
    change = f"{expected.logprob_change:+.3f} nats".replace("-", "−")
    assert rows(answered) == [["only expert 2", change, "none"]]
    # The small model's words need not differ; where they do, the page marks them.
    changed = expected.after != expected.before
    assert (answered.outcomes.locator("del, ins").count() > 0) == changed


def test_the_painted_span_and_the_threshold_are_the_viewers(answered: AppPage) -> None:
    painted = answered.change.locator("label").last
    expect(painted).to_have_text("without a painted span")
    painted.click()
    run(answered, "again")
    expect(answered.outcomes).to_contain_text("Drag over the picture")
    paint(answered, 200, 300)
    start, end = map(float, (answered.picture.get_attribute("data-selection") or "").split(","))
    expect(painted).to_have_text(f"without {start:.2f}–{end:.2f}\xa0s")
    run(answered, "again")
    tokens = token_times(answered)
    dropped = sum(first < end and last > start for first, last in tokens)
    assert 5 < dropped < 40
    assert rows(answered)[0][2].startswith(f"{dropped} of {len(tokens)} ")
    with answered.page.expect_response("**/gradio_api/run/predict*"):  # the server has the threshold
        answered.picture.locator(".threshold").fill("1")
    answered.change.get_by_text("without redundant tokens").click()
    run(answered, "again")
    assert rows(answered)[0][2] == f"{len(tokens)} of {len(tokens)} (100%)"
    expect(answered.outcomes).to_contain_text("No audio was left.")
    assert len(rows(answered)) == 2


def token_times(app: AppPage) -> list[tuple[float, float]]:
    """Start and end of every token, as the table has them."""
    app.picture.get_by_text("Numbers for every token").click()
    expect(app.picture.locator(".sheet tbody tr")).not_to_have_count(0)
    cells = app.picture.locator(".sheet tbody tr").evaluate_all(
        "rows => rows.map((row) => [1, 2].map((cell) => Number(row.children[cell].textContent)))"
    )
    return [(first, last) for first, last in cells]


def test_a_locked_token_can_be_dropped_by_keyboard_alone(answered: AppPage) -> None:
    answered.stage.focus()
    answered.page.keyboard.press("ArrowRight")
    expect(answered.change.locator("label").last).to_have_text("without 0.00–0.08\xa0s")
    answered.page.keyboard.press("Escape")
    expect(answered.change.locator("label").last).to_have_text("without a painted span")


def test_the_deletion_test_says_what_the_model_says(answered: AppPage, server: Tiny) -> None:
    opened(answered, "Deletion test")
    answered.reference.locator("textarea, input").fill("a dog <b>barks</b>")
    run(answered, "deletion")
    clip = load_clip(DOG)
    baseline = server.engine.ask(clip, QUESTION)
    expected = deletion_test(server.engine, clip, baseline, reference="a dog <b>barks</b>")
    expect(answered.tested.locator("figcaption")).to_contain_text(expected.verdict())
    expect(answered.tested.locator("figcaption")).to_contain_text("“a dog <b>barks</b>”")
    expect(answered.tested.locator("img.day")).to_be_visible()
    expect(answered.tested.locator("img.night")).to_be_hidden()


def test_words_can_be_picked_and_have_a_lane(app: AppPage, server: Tiny) -> None:
    app.upload(DOG)
    quiet = tiny.say(server.engine.model, "one <i>two</i> ")
    try:
        app.ask_about("Say something else")
        low = app.stage.bounding_box()
        opened(app, "Words")
        run(app, "lean")
    finally:
        quiet()
    words = app.picture.locator(".words button")
    expect(app.picture.locator(".words")).to_be_visible()
    tall = app.stage.bounding_box()
    assert low is not None
    assert tall is not None
    assert tall["height"] > low["height"] + 60
    words.and_(app.page.locator("[aria-pressed=false]")).get_by_text("<i>two</i>", exact=True).first.click()
    expect(app.picture).to_have_attribute("data-word", "<i>two</i>")
    app.stage.hover(position={"x": 200, "y": 150})
    expect(app.picture.locator(".tip")).to_contain_text("“<i>two</i>”")
    app.picture.locator(".words [aria-pressed=true]").click()
    expect(app.picture).to_have_attribute("data-word", "")
    again = app.stage.bounding_box()
    assert again is not None
    assert again["height"] == low["height"]


def test_what_was_tried_goes_into_the_offline_page(app: AppPage, server: Tiny, browser: Browser) -> None:
    """With words to pick, the changes and the deletion test, and without a network."""
    app.upload(DOG)
    quiet = tiny.say(server.engine.model, "one <i>two</i> ")
    try:
        app.ask_about("Say something to take along")
        run(app, "again")
        opened(app, "Deletion test")
        run(app, "deletion")
        opened(app, "Words")
        run(app, "lean")
    finally:
        quiet()
    verdict = app.tested.locator("figcaption p").first.inner_text()
    with offline(browser) as context:
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.goto(exported(app, "Offline page").as_uri())
        expect(page.locator(".changes tbody tr")).to_have_count(2)
        expect(page.locator(".changes tbody tr").last).to_contain_text("only expert 1")
        expect(page.locator(".tried .deletion")).to_contain_text(verdict)
        expect(page.locator(".strip i")).to_have_count(3 + SEEDS)
        page.locator(".viewer .words [aria-pressed=false]").get_by_text(
            "<i>two</i>", exact=True
        ).first.click()
        expect(page.locator("section.viewer")).to_have_attribute("data-word", "<i>two</i>")
        page.locator(".stage").hover(position={"x": 200, "y": 150})
        expect(page.locator(".tip")).to_contain_text("nats")
        assert problems == []
    record = json.loads(exported(app, "JSON").read_text())
    assert set(record["what_if"]) == {"interventions", "deletion_test", "attribution"}


def test_stop_gives_up_and_leaves_everything_usable(answered: AppPage, server: Tiny) -> None:
    opened(answered, "Words")
    quick = tiny.after_each_token(server.engine.model, lambda step, logits: time.sleep(0.2))
    try:
        answered.lean.click()
        expect(answered.study_status.locator("progress")).to_be_visible()
        expect(answered.lean).to_be_disabled()
        answered.study_stop.click()
        expect(answered.study).to_be_hidden()
    finally:
        quick()
    expect(answered.picture.locator(".words")).to_be_hidden()
    opened(answered, "Replay")
    run(answered, "replay")
    expect(answered.replayed).to_contain_text("The answer is the same, word for word.")


def test_a_link_shows_the_answer_again_and_the_clip_lets_it_be_tried(
    app: AppPage, visit: BrowserContext, tmp_path: Path
) -> None:
    clip = tmp_path / "part.wav"  # of an example, so that it is none
    with heard_file(load_clip(DOG, 1.0, 4.0)) as file:
        clip.write_bytes(Path(file).read_bytes())
    app.upload(clip)
    app.ask_about(QUESTION)
    text = app.answer_text.inner_text()
    other = AppPage(visit.new_page(), link_of(app))
    expect(other.answer_text).to_have_text(text)
    expect(other.thread).to_contain_text(QUESTION)
    expect(other.picture).to_be_visible()
    expect(other.inside).to_contain_text("The audio of this answer was not kept")
    expect(other.rating_form).to_be_visible()
    expect(other.picture.locator(".experts")).to_contain_text("experts worked")
    opened(other, "Replay")
    off = [other.replay, other.retry, other.contest_start, other.picture.locator(".bar .play")]
    for button in off:
        expect(button).to_be_disabled()
    other.upload(PIANO)
    expect(other.stale).to_contain_text("About another clip")
    expect(other.replay).to_be_disabled()
    other.put(clip)
    expect(other.picture).to_have_attribute("data-audio", "ready")
    for button in off:
        expect(button).to_be_enabled()
    expect(other.inside).not_to_contain_text("was not kept")
    opened(other, "Replay")
    run(other, "replay")
    expect(other.replayed).to_contain_text("The answer is the same, word for word. The routing is the same")
    opened(other, "Change")
    other.change.get_by_text("all experts equally").click()
    run(other, "again")
    assert [row[0] for row in rows(other)] == ["all experts equally"]
    assert other.problems == []


def test_a_link_brings_the_sound_where_it_was_kept(app: AppPage, visit: BrowserContext) -> None:
    app.upload(DOG)
    app.keep.get_by_role("checkbox").check()
    app.ask_about(QUESTION)
    other = AppPage(visit.new_page(), link_of(app))
    expect(other.picture).to_have_attribute("data-audio", "ready")
    expect(other.inside).not_to_contain_text("was not kept")
    run(other, "again")
    expect(other.outcomes.locator("tbody tr")).to_have_count(2)


@pytest.mark.parametrize("answer", ["00000000-0000-4000-8000-000000000000", "<script>window.hit=1</script>"])
def test_a_link_to_nothing_is_answered_with_a_sentence(
    visit: BrowserContext, server: Tiny, answer: str
) -> None:
    other = AppPage(visit.new_page(), f"{server.url}?answer={answer}")
    expect(other.notice).to_contain_text("No answer is stored here under this link")
    expect(other.what_if).to_be_hidden()
    assert other.page.evaluate("window.hit") is None
    other.upload(DOG)
    other.ask_about(QUESTION)
    expect(other.notice).not_to_contain_text("No answer is stored here under this link")


def clock(app: AppPage) -> float:
    """Where the viewer's playhead is, in seconds."""
    return float(app.picture.locator(".now").inner_text().split()[0])


def test_the_pages_player_and_the_viewer_run_together(answered: AppPage) -> None:
    expect(answered.picture).to_have_attribute("data-audio", "ready")
    player = answered.clip.get_by_role("button", name="Play", exact=True)
    player.click()
    answered.page.wait_for_function("parseFloat(document.querySelector('#viewer .now').textContent) > 0.6")
    expect(answered.picture).not_to_have_attribute("data-playing", "true")
    answered.picture.get_by_role("button", name="Loop").click()
    paint(answered, 500, 580)
    expect(player).to_be_visible()  # so it is paused
    start, end = map(float, (answered.picture.get_attribute("data-selection") or "").split(","))
    assert 3 < start < end < 6
    expect(answered.clip.locator("#time")).to_have_text(re.compile(f"0:0[{int(start)}-{int(end)}]"))
    answered.picture.get_by_role("button", name="Pause").click()


def test_another_clip_in_the_player_moves_nothing(answered: AppPage) -> None:
    expect(answered.picture).to_have_attribute("data-audio", "ready")
    answered.put(PIANO)
    expect(answered.outlook).to_contain_text("Will hear")
    answered.clip.get_by_role("button", name="Play", exact=True).click()
    expect(answered.clip.locator("#time")).to_have_text("0:01")  # of the other clip
    assert clock(answered) == 0


def test_a_question_ends_the_study_of_the_answer_before(answered: AppPage, server: Tiny) -> None:
    opened(answered, "Words")
    quick = tiny.after_each_token(server.engine.model, lambda step, logits: time.sleep(0.2))
    try:
        answered.lean.click()
        expect(answered.study_status.locator("progress")).to_be_visible()
        answered.question_box.fill("And now?")
        answered.ask_button.click()
        expect(answered.thread).to_contain_text("And now?")
    finally:
        quick()
    answered.wait_for_answer()
    expect(answered.lean).to_be_enabled()
    expect(answered.study).to_be_hidden()
    expect(answered.picture.locator(".words")).to_be_hidden()
    expect(answered.leaning).not_to_contain_text("Pick a word")


def test_a_question_that_fails_leaves_what_was_tried(answered: AppPage) -> None:
    run(answered, "again")
    tried = rows(answered)
    assert len(tried) == 1
    answered.clip.get_by_label("Clear").click()
    expect(answered.outlook).to_contain_text("No clip yet")
    answered.ask_about("Without a clip?", finished=False)
    expect(answered.notice).to_contain_text("Record or upload a clip first")
    expect(answered.what_if).to_be_visible()
    assert rows(answered) == tried
    run(answered, "again")
    assert len(rows(answered)) == 2
