"""The viewer in a real browser: pointing, playing, the threshold, the keyboard, exports, the offline page."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.pages import AppPage, exported, offline
from tests.fake_engine import TOKEN_SECONDS, FakeEngine, trace_of
from tests.serving import EXAMPLES, Server
from ui.report.export import export
from ui.studio.clips import ClipCache
from ui.studio.session import SessionAnswer
from usam.audio.clip import load_clip
from usam.checkpoints.layout import ROUTING, bundled
from usam.schema.answer import Answer

DOG = EXAMPLES / "sound-dog.ogg"
WORDS_ROW = 84  # pixels from the top of the picture to the first row of words
TOKENS = 47  # of the dog's 7.4 s
HOSTILE = "</script><img src=x onerror='window.hit=1'>\"'`${window.hit=1}{{value}}<!--"


@pytest.fixture
def answered(app: AppPage) -> AppPage:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    expect(app.picture).to_have_attribute("data-audio", "ready")
    app.stage.scroll_into_view_if_needed()
    return app


def place(app: AppPage, time: float) -> dict[str, float]:
    """Where a second of the clip lies on the picture, while the whole clip is in view."""
    box, view = app.stage.bounding_box(), value(app, "view")
    assert box is not None
    start, end = map(float, view.split(","))
    return {"x": 44 + (time - start) / (end - start) * (box["width"] - 54), "y": 200.0}


def value(app: AppPage, name: str) -> str:
    return app.picture.get_attribute(f"data-{name}") or ""


def played(app: AppPage) -> list[list[float]]:
    return json.loads(value(app, "played"))


def token(index: int) -> list[float]:
    return [
        pytest.approx(index * TOKEN_SECONDS, abs=1e-3),
        pytest.approx((index + 1) * TOKEN_SECONDS, abs=1e-3),
    ]


def test_it_draws_in_time_and_within_its_size(answered: AppPage) -> None:
    assert float(value(answered, "drawn")) < 300
    painted = answered.page.evaluate(
        """() => {
            const canvas = document.querySelector("#viewer .base");
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    assert painted > 200


def test_pointing_at_a_token_tells_all_its_numbers(answered: AppPage) -> None:
    answered.stage.hover(position=place(answered, 15.5 * TOKEN_SECONDS))
    tip = answered.picture.locator(".tip")
    for text in ("2.40–2.56 s", "token 16 of 47", "expert 1", "expert 3", "entropy", "bits", "“dog”", "dB"):
        expect(tip).to_contain_text(text)
    for text in ("predictive0.500", "text relevance0.400", "audio saliency0.600", "significance0.8"):
        expect(tip).to_contain_text(text)
    expect(tip).to_contain_text("kept")
    answered.page.mouse.move(2, 2)
    expect(tip).to_be_hidden()


def test_the_words_of_the_experts_are_listed_and_played_from(answered: AppPage) -> None:
    word = {"x": place(answered, 8 * TOKEN_SECONDS)["x"] + 10, "y": WORDS_ROW}
    tip = answered.picture.locator(".tip")
    answered.stage.hover(position=word)
    expect(tip.locator(".spoken")).to_have_text("“word8” expert 1, mostly speech, confidence 0.80")
    expect(tip).to_contain_text("token 9 of 47")
    answered.stage.click(position=word)
    assert played(answered) == [[pytest.approx(8 * TOKEN_SECONDS), pytest.approx(7.4, abs=0.1)]]
    expect(answered.picture).to_have_attribute("data-locked", "8")
    expect(answered.stage).to_have_attribute(
        "aria-valuetext", re.compile("expert 1, mostly speech: word8, 80 %$")
    )
    answered.picture.locator(".numbers summary").click()
    first = answered.picture.locator(".sheet tbody tr").first
    expect(first).to_contain_text(
        "Dog (expert 2, mostly sound, 0.90); <b>Animal</b> (expert 2, mostly sound, 0.40)"
    )
    expect(first.locator("b")).to_have_count(0)


def test_what_was_not_read_is_shown_and_can_be_read(app: AppPage) -> None:
    app.upload(DOG)
    app.ask_about("Do you prune?")
    expect(app.picture).to_have_attribute("data-audio", "ready")
    expect(app.picture.locator(".shares")).to_contain_text("tokens that the language model did not read")
    app.stage.hover(position=place(app, 10.5 * TOKEN_SECONDS))
    expect(app.picture.locator(".tip")).to_contain_text("Not read")
    app.stage.hover(position=place(app, 3.5 * TOKEN_SECONDS))
    expect(app.picture.locator(".tip")).not_to_contain_text("Not read")
    expect(app.page.locator("#change").get_by_text("read all tokens")).to_be_visible()


def test_pointing_is_smooth(answered: AppPage) -> None:
    """Work a move of the pointer costs, without the browser's own drawing."""
    spent = answered.page.evaluate(
        """() => {
            const stage = document.querySelector("#viewer .stage");
            const box = stage.getBoundingClientRect();
            const began = performance.now();
            for (let i = 0; i < 100; i++) {
                const at = { clientX: box.left + 60 + 5 * i, clientY: box.top + 120, bubbles: true };
                stage.dispatchEvent(new PointerEvent("pointermove", at));
            }
            return (performance.now() - began) / 100;
        }"""
    )
    assert spent < 16


def test_a_click_locks_the_token_and_plays_exactly_it(answered: AppPage) -> None:
    answered.stage.click(position=place(answered, 10.5 * TOKEN_SECONDS))
    assert played(answered) == [token(10)]
    expect(answered.picture).to_have_attribute("data-locked", "10")
    answered.stage.hover(position=place(answered, 30.5 * TOKEN_SECONDS))
    expect(answered.picture.locator(".tip")).to_contain_text("token 11 of 47")
    expect(answered.picture).to_have_attribute("data-playing", "false")


def test_a_drag_plays_the_span_and_loops_when_asked(answered: AppPage) -> None:
    answered.picture.get_by_role("button", name="Loop").click()
    first, last = place(answered, 1.0), place(answered, 1.5)
    box = answered.stage.bounding_box()
    assert box is not None
    mouse = answered.page.mouse
    mouse.move(box["x"] + first["x"], box["y"] + 200)
    mouse.down()
    mouse.move(box["x"] + last["x"], box["y"] + 210, steps=4)
    mouse.up()
    assert played(answered) == [[pytest.approx(1.0, abs=0.03), pytest.approx(1.5, abs=0.03)]]
    answered.page.wait_for_function(  # the clock jumps back
        """() => {
            const now = parseFloat(document.querySelector("#viewer .now").textContent);
            const looped = now < window.latest;
            window.latest = now;
            return looped;
        }"""
    )
    expect(answered.picture).to_have_attribute("data-playing", "true")
    answered.picture.get_by_role("button", name="Pause").click()
    expect(answered.picture).to_have_attribute("data-playing", "false")


def test_only_kept_or_only_redundant_tokens_are_played(answered: AppPage) -> None:
    record = exported(answered, "JSON")
    flags = [entry["redundant"] for entry in json.loads(record.read_text())["tokens"]]
    for name, wanted in (("only kept", False), ("only redundant", True)):
        answered.picture.get_by_role("button", name=name).click()
        answered.picture.get_by_role("button", name="Play").click()
        heard = played(answered)
        assert len(heard) > 2
        middles = [(index + 0.5) * TOKEN_SECONDS for index in range(TOKENS - 1)]
        assert [any(start < middle < end for start, end in heard) for middle in middles] == [
            flag is wanted for flag in flags[:-1]
        ]
        answered.picture.get_by_role("button", name="Pause").click()


def test_the_threshold_flags_again_at_once(answered: AppPage, server: Server) -> None:
    asked = len(server.engine.asked)
    slider, shares = answered.picture.locator(".threshold"), answered.picture.locator(".shares")
    before = int(value(answered, "redundant"))
    slider.fill("0.8")
    assert before < int(value(answered, "redundant")) < TOKENS
    slider.fill("1")
    expect(shares).to_contain_text("redundant 100 %, 47 tokens, 7.4 s")
    answered.picture.get_by_role("button", name="only kept").click()
    answered.picture.get_by_role("button", name="Play").click()
    expect(answered.picture.locator(".note")).to_contain_text("no token here is kept")
    answered.picture.get_by_role("button", name="Model's own").click()
    assert int(value(answered, "redundant")) == before
    assert len(server.engine.asked) == asked


def test_everything_works_by_keyboard(answered: AppPage) -> None:
    stage, press = answered.stage, answered.page.keyboard.press
    stage.focus()
    press("ArrowRight")
    press("ArrowRight")
    press("Shift+ArrowRight")
    expect(stage).to_have_attribute("aria-valuenow", "12")
    assert "Token 12 of 47, 1.76 to 1.92 s" in (stage.get_attribute("aria-valuetext") or "")
    press("Enter")
    assert played(answered) == [token(11)]
    for _ in range(3):
        press("+")
    start, end = map(float, value(answered, "view").split(","))
    assert end - start < 1.1
    assert start < 11.5 * TOKEN_SECONDS < end
    expect(answered.picture.locator(".map")).to_be_visible()
    press("End")
    _, end = map(float, value(answered, "view").split(","))
    assert end > (TOKENS - 1) * TOKEN_SECONDS
    press("0")
    expect(answered.picture.locator(".map")).to_be_hidden()
    press("Escape")
    press("Space")
    assert played(answered) == [[0.0, pytest.approx(7.38, abs=0.01)]]
    press("Space")
    expect(answered.picture).to_have_attribute("data-playing", "false")
    press("?")
    expect(answered.picture.locator(".keys")).to_be_visible()
    answered.picture.locator(".help").focus()
    press("Escape")
    expect(answered.picture.locator(".keys")).to_be_hidden()


def test_a_span_is_chosen_and_played_by_keyboard(answered: AppPage) -> None:
    press = answered.page.keyboard.press
    answered.stage.focus()
    press("i")
    expect(answered.picture.locator(".note")).to_contain_text("Choose a token with the arrow keys")
    for key in ("Home", "Shift+ArrowRight", "i", "ArrowRight", "ArrowRight", "o", "ArrowRight"):
        press(key)
    span = [pytest.approx(10 * TOKEN_SECONDS, abs=1e-3), pytest.approx(13 * TOKEN_SECONDS, abs=1e-3)]
    assert list(map(float, value(answered, "selection").split(","))) == span
    press("Space")
    assert played(answered) == [span]
    for key in ("End", "i"):  # past the span's end
        press(key)
    assert float(value(answered, "selection").split(",")[0]) == pytest.approx(46 * TOKEN_SECONDS, abs=1e-3)
    for key in ("Home", "o"):  # before its start
        press(key)
    assert list(map(float, value(answered, "selection").split(","))) == token(0)
    press("Escape")
    assert value(answered, "selection") == ""


def test_fingers_zoom_move_paint_and_tap(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    app = AppPage(context.new_page(), server.url)
    app.upload(DOG)
    app.ask_about("What animal is this?")
    expect(app.picture).to_have_attribute("data-audio", "ready")
    app.stage.scroll_into_view_if_needed()
    box = app.stage.bounding_box()
    assert box is not None
    hand = context.new_cdp_session(app.page)

    def touch(kind: str, *places: float) -> None:
        points = [{"x": box["x"] + x, "y": box["y"] + 60, "id": i} for i, x in enumerate(places)]
        hand.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def view() -> tuple[float, float]:
        start, end = map(float, value(app, "view").split(","))
        return start, end

    def time(x: float) -> float:
        start, end = view()
        return start + (x - 34) / (box["width"] - 44) * (end - start)

    held = time(150), time(190)
    touch("Start", 150, 190)
    touch("Move", 120, 200)
    touch("Move", 90, 250)
    assert (time(90), time(250)) == (pytest.approx(held[0], abs=0.02), pytest.approx(held[1], abs=0.02))
    touch("End")
    assert value(app, "played") == ""

    length, under = view()[1] - view()[0], time(200)
    assert length < 3
    touch("Start", 200)
    touch("Move", 150)
    touch("Move", 120)
    touch("End")
    assert time(120) == pytest.approx(under, abs=0.02)
    assert value(app, "selection") == ""

    ends = [time(100), time(160)]
    touch("Start", 100)
    expect(app.picture.locator(".note")).to_have_text("Drag to choose a span.")  # held for long enough
    touch("Move", 130)
    touch("Move", 160)
    touch("End")
    assert played(app) == [[pytest.approx(end, abs=0.02) for end in ends]]
    app.stage.tap(position={"x": 200, "y": 60})
    assert played(app) == [token(int(time(200) / TOKEN_SECONDS))]
    assert app.problems == []
    context.close()


def test_the_wheel_zooms_where_the_pointer_is(answered: AppPage) -> None:
    there = place(answered, 3.0)
    answered.stage.click(position=there)
    answered.page.mouse.wheel(0, -600)
    expect(answered.picture.locator(".map")).to_be_visible()
    start, end = map(float, value(answered, "view").split(","))
    assert end - start < 5
    assert place(answered, 3.0)["x"] == pytest.approx(there["x"], abs=2)


def test_the_table_holds_the_same_numbers(answered: AppPage) -> None:
    answered.picture.get_by_text("Numbers for every token").click()
    table = answered.picture.locator(".sheet table")
    expect(table.locator("tbody tr")).to_have_count(TOKENS)
    expect(table.locator("tbody tr").first).to_contain_text("dog")
    expect(table.get_by_text("yes", exact=True)).to_have_count(int(value(answered, "redundant")))


def test_experts_are_held_against_what_is_typical(answered: AppPage) -> None:
    panel = answered.picture.locator(".experts")
    shares = json.loads((bundled("mini") / ROUTING).read_text())["share_by_kind"]
    share = f"{round(100 * shares['speech'][0])} %"
    for text in ("speech", "sound", "music", share, "expert 1, mostly speech", "every expert is used"):
        expect(panel).to_contain_text(text)
    expect(panel.locator(".warning")).to_have_text(
        "The router was not well when the model loaded: expert 3 did nothing."
    )


@pytest.mark.parametrize(
    ("measured", "warned", "text"),
    [
        (True, 0, "it also carries most of sound in the evaluation"),
        (False, 1, "cannot be distinguished from a collapsed router"),
    ],
)
def test_one_expert_for_all_is_a_warning_unless_it_is_usual(
    browser: Browser, tmp_path: Path, measured: bool, warned: int, text: str
) -> None:
    *_, answer = FakeEngine(pause=0).stream(load_clip(DOG), "What is it?")
    assert isinstance(answer, Answer)
    tokens = tuple(replace(token, routing=(0.01, 0.98, 0.01)) for token in answer.trace.tokens)
    answer = replace(answer, trace=replace(answer.trace, tokens=tokens))
    share = {"speech": [1.0, 0.0, 0.0], "sound": [0.0, 1.0, 0.0]}
    found = {"load": [0.4, 0.4, 0.2], "share_by_kind": share} if measured else None
    file = tmp_path / "page.html"
    entry = SessionAnswer("key", answer, ClipCache(load_clip).load(str(DOG)), str(DOG))
    file.write_bytes(export(entry, "html", measured_of=lambda model: found).content)
    with offline(browser) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        expect(page.locator(".experts")).to_contain_text(text)
        expect(page.locator(".warning")).to_have_count(warned)


def test_every_export_is_a_file_of_its_kind(answered: AppPage) -> None:
    assert exported(answered, "PNG").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in exported(answered, "SVG").read_text()
    lines = exported(answered, "CSV").read_text("utf-8-sig").splitlines()
    assert len(lines) == TOKENS + 1
    assert lines[0].startswith("from s,to s,expert 1")


def test_the_offline_page_is_whole_and_alive(answered: AppPage, browser: Browser) -> None:
    answered.rate(thumb="Good", score=4, comment="quite right")
    expect(answered.rating_status).to_contain_text("Saved")
    file = exported(answered, "Offline page")
    with offline(browser) as context:
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:") or problems.append(request.url))
        page.goto(file.as_uri())
        expect(page.locator(".answer")).to_contain_text("You asked: What animal is this?")
        for text in ("quite right", "4 of 5", "Dog"):
            expect(page.locator(".facts")).to_contain_text(text)
        viewer = page.locator("section.viewer")
        expect(viewer).to_have_attribute("data-audio", "ready")
        viewer.locator(".stage").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        assert json.loads(viewer.get_attribute("data-played") or "") == [token(0)]
        viewer.locator(".threshold").fill("1")
        expect(viewer.locator(".shares")).to_contain_text("redundant 100 %")
        expect(viewer.get_by_text("PNG")).to_be_hidden()
        assert problems == []


def test_what_people_write_never_becomes_script(
    app: AppPage, browser: Browser, server: Server, tmp_path: Path
) -> None:
    clip = tmp_path / "<img src=x onerror='window.hit=1'>.ogg"
    clip.write_bytes(DOG.read_bytes())
    app.upload(clip)
    app.ask_about(HOSTILE)
    app.rate(comment=HOSTILE, correction=HOSTILE)
    expect(app.rating_status).to_contain_text("Saved")
    file = exported(app, "Offline page")
    assert app.page.evaluate("window.hit") is None
    with offline(browser) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        expect(page.locator(".question")).to_have_text(HOSTILE)
        expect(page.locator(".answer")).to_contain_text(HOSTILE)
        expect(page.get_by_text(HOSTILE)).to_have_count(4)
        expect(page.locator("section.viewer")).to_have_attribute("data-audio", "ready")
        expect(page.locator("img")).to_have_count(0)
        assert page.evaluate("window.hit") is None


def test_an_earlier_answer_shows_its_own_viewer(answered: AppPage) -> None:
    answered.picture.locator(".threshold").fill("0.9")
    answered.retry.click()
    expect(answered.answer_text).to_contain_text("This is seed 1")
    answered.wait_for_answer()
    answered.entries.get_by_text("This is seed 0").click()
    expect(answered.answer_text).to_contain_text("This is seed 0")
    expect(answered.picture).to_have_attribute("data-threshold", "0.5")
    expect(answered.picture).to_have_attribute("data-audio", "ready")


def test_another_answer_about_the_clip_is_drawn_on_the_same_axis(answered: AppPage) -> None:
    answered.retry.click()
    expect(answered.answer_text).to_contain_text("This is seed 1")
    answered.wait_for_answer()
    low = answered.stage.bounding_box()
    compare(answered, "This is seed 0")
    expect(answered.picture).to_have_attribute("data-compared", "same sound")
    clip = load_clip(DOG)
    one, other = (trace_of(clip, "question+answer", seed).tokens for seed in (1, 0))
    moved = [
        sum(abs(a - b) for a, b in zip(x.routing, y.routing, strict=True)) / 2
        for x, y in zip(one, other, strict=True)
    ]
    turned = sum(x.redundant != y.redundant for x, y in zip(one, other, strict=True))
    versus = answered.picture.locator(".versus")
    expect(versus).to_contain_text(f"{100 * sum(moved) / len(moved):.1f} % of a token's weight")
    expect(versus).to_contain_text(f"{turned} of {TOKENS} tokens change")
    tall = answered.stage.bounding_box()
    assert low is not None
    assert tall is not None
    assert tall["height"] > low["height"] + 100
    compare(answered, "nothing")
    expect(versus).to_be_hidden()


def test_another_clip_is_shown_below(answered: AppPage) -> None:
    answered.upload(EXAMPLES / "music-piano.ogg")
    answered.ask_about("Which instrument?")
    compare(answered, "What animal")
    both = answered.page.locator("#viewer section[data-drawn]")
    expect(both).to_have_count(2)
    expect(both.last).to_have_attribute("aria-label", re.compile("0.0–7.4 s of 7.4 s"))
    expect(both.first.locator(".versus")).to_contain_text("another sound")
    expect(both.last.get_by_role("button", name="PNG")).to_be_hidden()


def compare(app: AppPage, choice: str) -> None:
    app.against.get_by_role("combobox").click()
    app.page.get_by_role("option", name=re.compile(choice)).click()
