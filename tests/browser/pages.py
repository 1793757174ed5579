"""Drives the app in a real browser, for the tests with the small engine and for those with the real one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

PATIENCE = 45.0  # seconds
FRESH = """try {
  if (!sessionStorage.getItem("test")) localStorage.removeItem("usam-visit");
  sessionStorage.setItem("test", "1");
} catch { /* denied */ }"""


@contextmanager
def chromium(*switches: str) -> Iterator[Browser]:
    """The system's Chromium where there is one, else the one Playwright installed."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE * 1000)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *switches])
        yield browser
        browser.close()


class AppPage:
    """One open page of the app, in the words of a user."""

    def __init__(self, page: Page, url: str, patience: float = PATIENCE, *, fresh: bool = True) -> None:
        """fresh: begin a visit, instead of the browser's latest one; a reload keeps it either way."""
        self.page = page
        self.problems: list[str] = []
        page.set_default_timeout(patience * 1000)
        expect.set_options(timeout=patience * 1000)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self._note(message.text))
        if fresh:
            page.add_init_script(FRESH)
        page.goto(url)
        expect(self.ask_button).to_be_visible()

    def _note(self, message: str) -> None:
        if "Content Security Policy" in message:
            self.problems.append(message)

    def __getattr__(self, name: str) -> Locator:
        """`app.answer_text` is the element with the id `answer-text`."""
        return self.page.locator(f"#{name.replace('_', '-')}")

    @property
    def ask_button(self) -> Locator:
        return self.page.locator("#ask")

    @property
    def question_box(self) -> Locator:
        return self.page.locator("#question textarea")

    @property
    def picture(self) -> Locator:
        return self.page.locator("#viewer section[data-drawn]").first

    @property
    def stage(self) -> Locator:
        return self.picture.locator(".stage")

    def wait_until_ready(self) -> None:
        expect(self.banner).to_contain_text("Model ready")

    def upload(self, clip: Path) -> None:
        """Put a clip in the player and see that it can be heard."""
        self.put(clip)
        expect(self.outlook).to_contain_text("Will hear")

    def put(self, clip: Path) -> None:
        """Put a file in the player, in the place of the one that is there."""
        clear = self.page.locator("#clip").get_by_label("Clear")
        if clear.count():
            clear.click()
            expect(self.outlook).to_contain_text("No clip yet")
        self.page.set_input_files("#clip input[type=file]", clip)

    def choose_task(self, label: str) -> None:
        self.task.get_by_text(label, exact=True).click()

    def ask_about(self, question: str = "", *, finished: bool = True) -> None:
        self.question_box.fill(question)
        # The page's next update of the conversation wipes the mark off.
        self.page.evaluate("document.querySelector('.thread')?.setAttribute('data-old', '')")
        self.ask_button.click()
        if finished:
            self.wait_for_answer()

    def wait_for_answer(self) -> None:
        """Until the answer is complete, its picture drawn and the next question can be asked."""
        expect(self.page.locator(".thread:not([data-old])[aria-busy=false]")).to_be_visible()
        expect(self.picture).to_be_visible()
        expect(self.ask_button).to_be_visible()

    def rate(self, *, thumb: str = "", score: int = 0, correction: str = "", comment: str = "") -> None:
        form = self.rating_form
        if thumb:
            form.locator("#thumb").get_by_text(thumb, exact=True).click()
        if score:
            form.locator("#score").get_by_text(str(score), exact=True).click()
        if correction:
            form.locator("#correction textarea").fill(correction)
        if comment:
            form.locator("#comment textarea").fill(comment)
        self.save.click()


def exported(app: AppPage, name: str) -> Path:
    with app.page.expect_download() as download:
        app.picture.get_by_role("button", name=name, exact=True).click()
    target = Path(download.value.path()).with_suffix(Path(download.value.suggested_filename).suffix)
    return Path(download.value.path()).rename(target)


@contextmanager
def offline(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a network."""
    context = browser.new_context(offline=True)
    yield context
    context.close()
