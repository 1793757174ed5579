"""A project in a real browser, from its description to its export: two clips, two people, one gold item."""

import zipfile
from pathlib import Path

import pandas as pd
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import PATIENCE
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, rows, serve, settings_in

CLIPS = [EXAMPLES / "sound-dog.ogg", EXAMPLES / "sound-siren.ogg"]


def judge(browser: Browser, url: str, key: str) -> None:
    """Somebody new comes by the project's link and judges both of its items the same."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}annotate?project=Night%20birds")
    seen: list[str] = []
    for left in (2, 1):
        expect(page.locator("#queue-progress")).to_contain_text(f"{left} left")
        if not seen:
            page.locator("#queue-guidelines summary").click()
            expect(page.locator("#queue-guidelines")).to_contain_text("Listen twice.")
        item = page.locator(f'.item[data-ready]:not([data-id="{seen[-1] if seen else ""}"])')
        expect(item).to_be_visible()
        expect(item).not_to_contain_text("Judged by")
        seen.append(item.get_attribute("data-id") or "")
        page.keyboard.press(key)
        page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_contain_text("All judged. Thank you.")
    context.close()


def make(page: Page) -> None:
    page.locator("#projects-name input, #projects-name textarea").fill("Night birds")
    page.locator("#projects-guidelines textarea").fill("Listen twice.")
    page.locator("#projects-save").click()
    expect(page.locator("#projects-list")).to_contain_text("Night birds")


def test_a_project_is_made_imported_judged_and_exported(browser: Browser, tmp_path: Path) -> None:
    problems: list[str] = []
    with serve(settings_in(tmp_path), lambda progress: FakeEngine(pause=0)) as url:  # type: ignore[arg-type, return-value]
        page = browser.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        expect.set_options(timeout=PATIENCE * 1000)
        page.goto(f"{url}projects")
        expect(page.locator("#projects-list")).to_contain_text("no projects yet")
        make(page)

        page.set_input_files("#projects-files input[type=file]", CLIPS)
        page.locator("#projects-question textarea, #projects-question input").fill("Which animal is it?")
        page.locator("#projects-start").click()
        expect(page.locator("#projects-progress")).to_contain_text("0 of 2 items done")

        page.locator("#projects-refresh").click()
        expect(page.locator("#projects-items")).to_contain_text("sound-siren.ogg")
        page.locator("#projects-item input").click()
        page.get_by_role("option").filter(has_text="sound-siren").click()
        page.locator("#projects-thumb").get_by_text("Bad", exact=True).click()
        page.locator("#projects-mark").click()
        expect(page.locator("#projects-items")).to_contain_text("bad")
        expect(page.locator("#projects-progress")).to_contain_text("0 of 1 item done")

        judge(browser, url, "g")
        judge(browser, url, "b")
        page.locator("#projects-refresh").click()
        progress = page.locator("#projects-progress")
        expect(progress).to_contain_text("1 of 1 item done, 2 of 2 wanted judgements")
        expect(progress).to_contain_text("0 of 1 (95 %")
        expect(progress).to_contain_text("1 of 1 (95 %")

        page.locator("#format input").click()
        page.get_by_role("option", name="csv", exact=True).click()
        page.locator("#prepare").click()
        with page.expect_download() as download:
            page.locator("#prepared button").click()
        with zipfile.ZipFile(download.value.path()) as archive, archive.open("items.csv") as file:
            assert set(pd.read_csv(file)["source"]) == {clip.name for clip in CLIPS}
        page.close()
    assert problems == []
    assert rows(tmp_path, "SELECT count(*) FROM ratings WHERE NOT withdrawn") == [(4,)]
    assert not [*(tmp_path / "project_clips").iterdir()], "what was answered is kept once"
