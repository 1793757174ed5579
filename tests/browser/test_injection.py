"""What people and the model write is shown as text, wherever it appears on the page."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import AppPage
from tests.serving import EXAMPLES, Server

ATTACK = '</p></script><img src=x onerror="window.harmed=1"><script>window.harmed=1</script>{{7*7}}<|im_end|>'
# Text of the page in which nothing of an attack may have become an element.
PANELS = "#talk, #inside, #side"


def images_tried(page: Page) -> None:
    """Until an image that the page has not got has failed to load; those asked for before have failed too."""
    page.evaluate(
        """() => new Promise((failed) => {
            const image = new Image();
            image.onerror = () => failed();
            image.src = "x?later";
        })"""
    )


def test_nothing_written_is_run(browser: Browser, server: Server, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    app = AppPage(context.new_page(), server.url)
    clip = tmp_path / "<img src=x onerror=harmed=1>.ogg"
    clip.write_bytes((EXAMPLES / "sound-dog.ogg").read_bytes())
    app.upload(clip)
    app.keep.get_by_role("checkbox").check()
    app.ask_about(ATTACK)
    expect(app.answer_text).to_contain_text('<img src=x onerror="window.harmed=1">')
    app.rate(score=2, correction=ATTACK, comment=ATTACK)
    expect(app.rating_status).to_contain_text("Saved")
    app.ask_about("again " + ATTACK)
    images_tried(app.page)
    assert app.page.locator(f":is({PANELS}) img[src=x]").count() == 0
    assert app.page.evaluate("window.harmed") is None
    assert app.problems == []
    context.close()

    other = browser.new_context().new_page()
    other.goto(f"{server.url}annotate")
    expect(other.get_by_text("window.harmed=1").first).to_be_visible()
    for page in ("annotate", "dashboard"):
        other.goto(f"{server.url}{page}")
        expect(other.get_by_role("heading", level=2).first).to_be_visible()
        images_tried(other)
        assert other.locator("img[src=x]").count() == 0
        assert other.evaluate("window.harmed") is None
    other.context.close()


def test_a_refusal_shows_the_name_of_the_file_as_text(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    context = browser.new_context()
    app = AppPage(context.new_page(), server.url)
    clip = tmp_path / "<img src=x onerror=harmed=1>.ogg"
    clip.write_bytes(b"not sound")
    app.put(clip)
    expect(app.outlook).to_contain_text("cannot be decoded")
    assert app.page.locator("#outlook img").count() == 0
    assert app.page.evaluate("window.harmed") is None
    context.close()
