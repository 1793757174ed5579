"""The same question to another model, compared on the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.pages import AppPage
from tests.browser.viewer.test_what_if import opened, run
from tests.serving import EXAMPLES
from tests.shelf import Served, Shelf, alive, serve_shelf, shelf_of_two

DOG = EXAMPLES / "sound-dog.ogg"
PIANO = EXAMPLES / "music-piano.ogg"
QUESTION = "What animal is this?"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return shelf_of_two(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="module")
def server(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_shelf(shelf, tmp_path_factory.mktemp("data")) as served:
        yield served


def test_a_second_model_is_compared_with_the_first(app: AppPage, server: Served, shelf: Shelf) -> None:
    app.upload(DOG)
    app.ask_about(QUESTION)
    first = app.answer_text.inner_text()
    before = len(shelf.loaded)
    opened(app, "Other model")
    app.page.locator("#other-precision").get_by_text("8-bit").click()
    run(app, "other")
    expect(app.othered).to_contain_text("int8")
    expect(app.othered).to_contain_text("MB of weights")
    expect(app.picture).to_have_attribute("data-compared", "same sound")
    expect(app.picture.locator(".versus")).to_contain_text("int8")
    assert shelf.loaded[before:] == [("tiny", "int8")]
    expect(app.answer_text).to_have_text(first)
    expect(app.entries.get_by_role("radio")).to_have_count(2)
    assert alive(shelf) == 0

    # What is tried on the other's answer is tried on the other model, loaded again for that.
    app.entries.locator("label").first.click()
    expect(app.answer_text).not_to_have_text(first)
    opened(app, "Replay")
    run(app, "replay")
    expect(app.replayed).to_contain_text("The answer is the same, word for word. The routing is the same")
    assert shelf.loaded[before:] == [("tiny", "int8")] * 2
    assert alive(shelf) == 0


def test_another_checkpoint_can_be_asked(app: AppPage, shelf: Shelf) -> None:
    app.upload(DOG)
    app.ask_about(QUESTION)
    opened(app, "Other model")
    app.page.locator("#other-checkpoint").get_by_text("later").click()
    app.page.locator("#other-precision").get_by_text("bfloat16").click()
    run(app, "other")
    expect(app.othered).to_contain_text("unchanged")
    assert shelf.loaded[-1] == ("later", "none")
    app.page.locator("#other-checkpoint").get_by_text("tiny").click()
    run(app, "other")
    expect(app.othered).to_contain_text("This model gave the answer on display")
