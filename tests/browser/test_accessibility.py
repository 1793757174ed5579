"""axe-core over the page, on a phone and a desktop, light and dark: nothing serious.

axe-core comes from npm when the test runs, and is kept nowhere else.
"""

import shutil
import subprocess
import tarfile
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import AppPage
from tests.serving import Server

AXE = "axe-core@4.14.1"
SERIOUS = {"serious", "critical"}
GRADIOS_OWN = {"label-content-name-mismatch": ("upload-container", "playback icon")}
"""Findings that only Gradio can mend: its player names two buttons otherwise than they read."""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core; without npm or its registry there is nothing to test with."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "pack", AXE, "--silent"]
    fetched = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if fetched.returncode:
        pytest.skip(f"npm could not fetch {AXE}: {fetched.stderr.strip()}")
    with tarfile.open(folder / fetched.stdout.split()[-1]) as package:
        source = package.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


# Colours are a scheme's whatever the width, and the layout a width's whatever the colours: two of four tell.
@pytest.fixture(params=[(1280, "light"), (375, "dark")], ids=lambda p: f"{p[0]}-{p[1]}")
def page(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[AppPage]:
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",  # or axe measures colours on their way from one to another
    )
    yield AppPage(context.new_page(), server.url)
    context.close()


SETTLED = """() =>
    !document.querySelector("[aria-busy=true], .pending, .generating") &&
    document.getAnimations().every(
        ({ playState, effect }) => playState !== "running" || effect.getTiming().iterations === Infinity
    )"""


def findings(page: Page, axe: str) -> list[str]:
    """Each serious finding once nothing on the page is in transition: the rule, and its element."""
    page.wait_for_function(SETTLED)
    page.evaluate(axe)
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for violation in result["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
        if not any(name in node["html"] for name in GRADIOS_OWN.get(violation["id"], ()))
    ]


def test_the_page_as_it_opens(page: AppPage, axe: str) -> None:
    page.wait_until_ready()
    assert findings(page.page, axe) == []


def test_the_pages_are_named_in_one_row_and_nothing_moves(page: AppPage) -> None:
    assert len(set(page.page.locator("nav a").evaluate_all("links => links.map(a => a.offsetTop)"))) == 1
    moves = "e => getComputedStyle(e).transitionDuration !== '0s'"
    assert page.page.evaluate(f"[...document.querySelectorAll('.contain *')].filter({moves}).length") == 0


def test_the_page_with_a_recording_an_answer_and_everything_unfolded(
    page: AppPage, axe: str, tmp_path: Path
) -> None:
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setparams((1, 2, 4000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 4000 * 31))
    page.upload(tmp_path / "talk.wav")
    page.whole.click()
    page.recording.locator(".row").nth(1).click()
    expect(page.recording.locator("form.edit")).to_be_visible()
    page.recording.get_by_label("Question about all of it").fill("What?")
    page.page.keyboard.press("Enter")
    expect(page.recording.locator("form.rate")).to_be_visible()
    page.examples.get_by_text("Dog", exact=True).click()
    page.wait_for_answer()
    for name in ("sampling", "card"):
        page.page.locator(f"#{name} button").first.click()
    page.rate(score=4)
    expect(page.rating_status).to_contain_text("Saved")
    page.follow_up.click()
    expect(page.context).to_be_visible()
    assert findings(page.page, axe) == []


@pytest.mark.parametrize("name", ["annotate", "dashboard", "teach", "projects"])
def test_the_other_pages(page: AppPage, server: Server, axe: str, name: str) -> None:
    page.page.goto(f"{server.url}{name}")
    expect(page.page.get_by_role("heading", level=2).first).to_be_visible()
    assert findings(page.page, axe) == []


def test_a_refusal(page: AppPage, axe: str) -> None:
    page.ask_about("without a clip", finished=False)
    expect(page.notice).to_contain_text("upload a clip")
    assert findings(page.page, axe) == []


def test_the_tour(page: AppPage, axe: str) -> None:
    page.page.get_by_role("button", name="Take the tour").click()
    for _ in range(2):
        assert findings(page.page, axe) == []
        page.page.locator(".tour-next").click()
    expect(page.page.locator(".tour-note")).to_contain_text("needs an answer")
    assert findings(page.page, axe) == []
