"""Recording with a microphone and trimming a clip, in a real browser that hears a file for a microphone."""

import json
import wave
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.pages import AppPage, chromium
from tests.serving import EXAMPLES, Server, rows
from ui.components.microphone import ABSENT, INSECURE, REFUSED
from usam.audio.samples import SAMPLE_RATE

HERTZ = 440
NO_MICROPHONE = """navigator.mediaDevices.getUserMedia =
    () => Promise.reject(new DOMException('Requested device not found', 'NotFoundError'))"""
NOT_SECURE = """Object.defineProperty(navigator, 'mediaDevices', {value: undefined});
    Object.defineProperty(window, 'isSecureContext', {value: false})"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Its microphone hears a tone. A page may use it only when its context was granted that."""
    tone = tmp_path_factory.mktemp("microphone") / "tone.wav"
    samples = 9000 * np.sin(2 * np.pi * HERTZ * np.arange(10 * 48_000) / 48_000)
    with wave.open(str(tone), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    with chromium(
        "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={tone}"
    ) as browser:
        yield browser


def player(app: AppPage, text: str) -> Locator:
    """The player's button with this text."""
    return app.page.locator("#clip").get_by_role("button", name=text, exact=True)


def test_record_stop_ask(app: AppPage, server: Server) -> None:
    app.page.context.grant_permissions(["microphone"])
    app.page.get_by_label("Record audio").click()
    player(app, "Record").click()
    expect(app.clip.locator(".duration")).to_have_text("0:02")
    player(app, "Stop").click()
    expect(app.outlook).to_contain_text("Will hear 0.0–")
    expect(app.microphone).to_be_hidden()
    app.ask_about("What do you hear?")
    expect(app.answer_text).to_contain_text("You asked: What do you hear?")

    heard = server.engine.asked[-1]["clip"]
    assert 1.5 < heard.duration < 5
    assert (heard.start, heard.end) == (0.0, heard.duration)
    expect(app.heard).to_contain_text(f"Heard 0.0–{heard.duration:.1f} s of {heard.duration:.1f} s.")
    spectrum = np.abs(np.fft.rfft(heard.waveform.numpy()))
    assert spectrum.argmax() * SAMPLE_RATE / len(heard.waveform) == pytest.approx(HERTZ, abs=5)
    ((trace,),) = rows(server.data, "SELECT trace FROM answers ORDER BY created_at DESC LIMIT 1")
    tokens = json.loads(trace)["tokens"]
    assert (tokens[0]["start"], tokens[-1]["end"]) == (0.0, pytest.approx(heard.duration))


@pytest.mark.parametrize(
    ("hindrance", "sentence"), [("", REFUSED), (NO_MICROPHONE, ABSENT), (NOT_SECURE, INSECURE)]
)
def test_why_nothing_is_recorded_is_shown_and_a_file_still_works(
    browser: Browser, server: Server, hindrance: str, sentence: str
) -> None:
    context = browser.new_context()
    context.add_init_script(hindrance)
    app = AppPage(context.new_page(), server.url)
    app.question_box.fill("kept?")
    app.page.get_by_label("Record audio").click()
    player(app, "Record").click()
    expect(app.microphone.get_by_role("alert")).to_have_text(sentence)
    expect(app.question_box).to_have_value("kept?")
    app.page.get_by_label("Upload file").click()
    app.upload(EXAMPLES / "sound-dog.ogg")
    expect(app.microphone).to_be_hidden()
    assert app.problems == []
    context.close()


def test_of_a_trimmed_clip_only_the_rest_is_heard(app: AppPage, server: Server) -> None:
    app.upload(EXAMPLES / "sound-dog.ogg")
    expect(app.outlook).to_contain_text("of 7.4 s")
    app.page.get_by_label("Trim audio to selection").click()
    handle = app.page.locator("#clip [part~=region-handle-right]")
    box = handle.bounding_box()
    assert box is not None
    mouse, x, y = app.page.mouse, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 40, y, steps=8)
    mouse.up()
    player(app, "Trim").click()
    expect(app.outlook).not_to_contain_text("of 7.4 s")
    app.ask_about("And now?")
    heard = server.engine.asked[-1]["clip"]
    assert 0.3 < heard.duration < 4
    expect(app.heard).to_contain_text(f"Heard 0.0–{heard.duration:.1f} s of {heard.duration:.1f} s.")
