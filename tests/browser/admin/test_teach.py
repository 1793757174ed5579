"""With the small engine: an answer is rated, the model taught, compared blind, promoted, and rolled back."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from storage import Feedback, open_database
from tests import tiny
from tests.browser.pages import PATIENCE
from tests.serving import settings_in
from tests.shelf import Shelf
from tests.ui.blind import HELD, ask
from tests.ui.tuning import fake_command
from ui.build import build


def test_what_was_taught_answers_until_it_is_rolled_back(browser: Browser, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "checkpoints")
    engine = tiny.engine(Shelf(tmp_path / "bundled").add("mini"))
    app = build(settings_in(tmp_path), lambda progress: engine, shelf.load)
    app.studio.teaching.command = fake_command(tmp_path)
    feedback = Feedback(open_database(settings_in(tmp_path).database_url))
    ask(feedback, engine, HELD[0])
    page = browser.new_page()
    expect.set_options(timeout=PATIENCE * 1000)
    try:
        url = app.launch(prevent_thread_lock=True, quiet=True)
        page.goto(f"{url}annotate")
        page.locator("#judge #thumb label").first.click()
        page.locator("#submit").click()
        expect(page.locator("#queue-progress")).to_contain_text("1 judged")
        page.goto(f"{url}teach")
        history = page.locator("#teach-history")
        expect(history).to_contain_text("Nothing has been tuned yet")
        page.locator("#count").click()
        expect(page.locator("#counted")).to_contain_text("audio not kept")
        page.locator("#teach-start").click()
        expect(page.locator("#teach-result")).to_contain_text("9 of 10")
        expect(history).to_contain_text("can be promoted")
        page.locator("#blind-start").click()
        expect(page.locator("#teach-blind")).to_contain_text("1 pair of answers to compare")
        page.goto(f"{url}annotate")
        expect(page.locator("#blind-sides audio")).to_be_attached()
        page.locator("#blind-b").click()
        expect(page.locator("#blind-status")).to_contain_text("Saved")
        expect(page.locator("#blind")).to_be_hidden()
        page.goto(f"{url}teach")
        expect(page.locator("#teach-blind")).to_contain_text("1 of at least 30 votes, 1 of 2 people")
        page.locator("#promote").click()
        expect(history).to_contain_text("tuned-1 answers now")
        assert app.studio.loader.engine.checkpoint.name == "tuned-1"
        page.reload()
        expect(history).to_contain_text("tuned-1 answers now")
        page.locator("#roll-back").click()
        expect(history).to_contain_text("mini, not tuned, answers now")
    finally:
        page.close()
        app.demo.close(verbose=False)
