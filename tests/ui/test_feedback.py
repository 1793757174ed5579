"""Rating in depth and comparing, in a real browser with the small engine behind the page."""

import json
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.ui.conftest import Server
from tests.ui.fake_engine import FakeEngine
from tests.ui.pages import EXAMPLES, AppPage, rows, serve, settings_in

DOG = EXAMPLES / "sound-dog.ogg"


def score(app: AppPage, dimension: str, value: int) -> None:
    app.page.locator(f"#dimension-{dimension}").get_by_text(str(value), exact=True).click()


def test_dimensions_and_flags_are_saved_shown_again_and_undone(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    expect(app.page.locator("#dimension-correctness")).to_be_hidden()
    app.page.get_by_role("button", name="In more detail").click()
    score(app, "correctness", 2)
    app.flags.get_by_text("Hallucination").click()
    app.rate(thumb="Bad")
    expect(app.rating_status).to_contain_text("Saved")
    newest = "SELECT dimensions, flags, thumb, withdrawn FROM ratings ORDER BY created_at DESC LIMIT 1"
    (dimensions, flags, *rest), *_ = rows(server.data, newest)
    assert (json.loads(dimensions), json.loads(flags), rest) == (
        {"correctness": 2},
        ["hallucination"],
        [-1, 0],
    )
    score(app, "completeness", 5)
    app.rate(thumb="Good")
    expect(app.rating_status).to_contain_text("Saved")

    app.undo.click()
    expect(app.rating_status).to_contain_text("the rating before it counts again")
    expect(app.thumb.get_by_label("Bad")).to_be_checked()
    expect(app.page.locator("#dimension-completeness input:checked")).to_have_count(0)
    expect(app.page.locator("#dimension-correctness input:checked")).to_have_value("2")
    app.undo.click()
    expect(app.rating_status).to_contain_text("no rating is stored now")
    expect(app.rating_form.locator("input:checked")).to_have_count(0)
    expect(app.undo).to_be_hidden()
    assert rows(server.data, newest) == [("{}", "[]", None, 1)]


def test_a_team_names_its_own_dimensions(browser: Browser, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, dimensions=("fluency",))
    with serve(settings, lambda progress: FakeEngine()) as url:
        context = browser.new_context()
        app = AppPage(context.new_page(), url)
        app.upload(DOG)
        app.ask_about("What animal is this?")
        app.page.get_by_role("button", name="In more detail").click()
        score(app, "fluency", 3)
        app.save.click()
        expect(app.rating_status).to_contain_text("Saved")
        context.close()
    assert rows(tmp_path, "SELECT dimensions FROM ratings") == [('{"fluency":3}',)]
