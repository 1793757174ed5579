"""The Dashboard page: the figures are those of the database, and whatever names hold is text."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from storage import Feedback, open_database
from tests.fake_engine import FakeEngine
from tests.serving import serve, settings_in
from tests.ui.pages.records import record


def test_it_is_drawn_when_opened_and_anew_on_request(browser: Browser, tmp_path: Path) -> None:
    with serve(settings_in(tmp_path), lambda progress: FakeEngine()) as url:  # type: ignore[arg-type, return-value]
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        expect.set_options(timeout=45_000)
        page.goto(f"{url}dashboard")
        expect(page.locator("#board")).to_contain_text("No ratings yet.")
        feedback = Feedback(open_database(settings_in(tmp_path).database_url))
        feedback.rate(feedback.record_answer(record(1), annotator="me"), "me", thumb=1)
        page.locator("#refresh").click()
        expect(page.locator(".board-card", has_text="Ratings against internals")).to_contain_text("n = 1")
        expect(page.locator(".board-card", has_text="Agreement")).to_contain_text("by two people yet")
        page.locator("#prepare").click()
        expect(page.locator("#prepared")).to_contain_text("no counterpart on the same question")
        context.close()


def test_a_locked_board_shows_nothing_before_its_password(browser: Browser, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, dashboard_password="sesame")
    with serve(settings, lambda progress: FakeEngine()) as url:  # type: ignore[arg-type, return-value]
        page = browser.new_page()
        page.goto(f"{url}dashboard")
        expect(page.locator("#board")).to_contain_text("Type its password")
        page.locator("#prepare").click()
        expect(page.locator("#prepared")).to_contain_text("Type its password")
        page.get_by_label("Password").fill("sesame")
        page.get_by_label("Password").press("Enter")
        expect(page.locator("#board")).to_contain_text("No ratings yet")
        page.close()
