"""The tour for a first visitor: offered once, walked through by mouse or keyboard alone, opened again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.pages import AppPage
from tests.serving import Server

TITLES = ["Pick an example", "Ask", "Read the routing", "Hear a redundant token", "Rate the answer"]


@pytest.fixture(params=[1280, 390], ids=["desktop", "phone"])
def newcomer(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[AppPage]:
    """Somebody whose browser was never here."""
    context = browser.new_context(
        viewport={"width": request.param, "height": 844}, reduced_motion="reduce", color_scheme="dark"
    )
    app = AppPage(context.new_page(), server.url)
    yield app
    context.close()
    assert app.problems == []


def card(app: AppPage) -> Locator:
    return app.page.get_by_role("dialog")


def press(app: AppPage, name: str) -> None:
    card(app).get_by_role("button", name=name, exact=True).click()


def covered(over: Locator, under: Locator) -> bool:
    """Whether the one lies on the other."""
    a, b = over.bounding_box(), under.bounding_box()
    assert a is not None
    assert b is not None
    return all(
        a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "width"), ("y", "height"))
    )


def test_all_of_it_with_the_mouse(newcomer: AppPage) -> None:
    app = newcomer
    app.page.get_by_role("button", name="Take the tour").click()
    seen = []
    for title in TITLES:
        expect(card(app).get_by_role("heading")).to_have_text(title)
        expect(card(app).get_by_role("heading")).to_be_focused()
        if title == "Pick an example":
            press(app, "Ask about the dog")
            app.wait_for_answer()
        if title == "Hear a redundant token":
            press(app, "Play only the redundant")
            expect(app.picture.locator("[data-listen=redundant]")).to_have_attribute("aria-pressed", "true")
        ringed = app.page.locator(".tour-target")
        expect(ringed).to_have_count(1)
        expect(ringed).to_be_in_viewport()
        form = app.rating_form.get_by_role("button", name="Save rating")
        assert title != TITLES[-1] or not covered(card(app), form)
        seen.append(ringed.get_attribute("id") or ringed.get_attribute("class"))
        press(app, "Done" if title == TITLES[-1] else "Next")
    assert seen[:2] == ["examples", "go"]
    assert seen[4] == "rate"
    expect(card(app)).to_be_hidden()
    expect(app.page.locator(".tour-target")).to_have_count(0)


def test_the_keyboard_is_enough(newcomer: AppPage) -> None:
    app = newcomer
    app.page.get_by_role("button", name="Take the tour").focus()
    app.page.keyboard.press("Enter")
    expect(card(app).get_by_role("heading")).to_be_focused()
    for _ in range(2):  # over the disabled Back
        app.page.keyboard.press("Tab")
    app.page.keyboard.press("Enter")
    expect(card(app).get_by_role("heading")).to_have_text("Ask")
    app.page.keyboard.press("Escape")
    expect(card(app)).to_be_hidden()
    expect(app.page.get_by_role("button", name="Take the tour")).to_be_focused()


def test_declined_it_is_not_offered_again_but_can_be_opened(newcomer: AppPage, server: Server) -> None:
    app = newcomer
    expect(app.tour).to_contain_text("First time here?")
    app.page.get_by_role("button", name="Not now").click()
    expect(app.tour).not_to_contain_text("First time here?", use_inner_text=True)
    app.page.reload()
    expect(app.page.get_by_role("button", name="Take the tour")).to_be_visible()
    expect(app.tour).not_to_contain_text("First time here?", use_inner_text=True)
    app.page.get_by_role("button", name="Take the tour").click()
    expect(card(app)).to_be_visible()


def test_a_step_that_needs_an_answer_waits_for_one(newcomer: AppPage) -> None:
    app = newcomer
    app.page.get_by_role("button", name="Take the tour").click()
    press(app, "Next")
    press(app, "Next")
    expect(card(app).get_by_role("status")).to_contain_text("needs an answer")
    expect(app.page.locator(".tour-target")).to_have_count(0)
    press(app, "Back")
    press(app, "Back")
    press(app, "Ask about the dog")
    press(app, "Next")
    press(app, "Next")
    app.wait_for_answer()
    expect(card(app).get_by_role("status")).to_be_empty()
    expect(app.page.locator(".tour-target")).to_be_in_viewport()
