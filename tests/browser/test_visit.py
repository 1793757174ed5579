"""A page that is reloaded, or whose server goes away and comes back."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.pages import AppPage
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, Server, serve, settings_in

DOG = EXAMPLES / "sound-dog.ogg"
PIANO = EXAMPLES / "music-piano.ogg"
WITHIN = 5000  # ms


def test_a_reload_and_a_new_tab_bring_the_visit_back(
    app: AppPage, visitor: BrowserContext, server: Server
) -> None:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    app.upload(PIANO)
    app.ask_about("Which instrument?")
    app.entries.locator("label").last.click()
    expect(app.answer_text).to_contain_text("What animal is this?")
    app.question_box.fill("Not asked yet")
    app.page.reload()
    other = AppPage(visitor.new_page(), server.url, fresh=False)
    for page in (app, other):
        expect(page.answer_text).to_contain_text("What animal is this?")
        expect(page.picture).to_be_visible()
        expect(page.outlook).to_contain_text("of 7.4 s")
        expect(page.entries.get_by_role("radio")).to_have_count(2)
    expect(app.question_box).to_have_value("Not asked yet")
    other.page.close()


def test_what_was_typed_about_an_answer_survives_until_it_is_sent_or_deleted(app: AppPage) -> None:
    correction, comment = (app.page.locator(f"#{field} textarea") for field in ("correction", "comment"))
    for question in ("What animal is this?", "Which instrument?"):
        app.put(DOG) if question[:4] == "What" else app.put(PIANO)
        app.ask_about(question)
        correction.fill(f"Not {question}")
    app.question_box.fill("And a third one?")
    app.page.reload()
    expect(correction).to_have_value("Not Which instrument?")
    expect(app.question_box).to_have_value("And a third one?")
    app.entries.locator("label").last.click()
    expect(correction).to_have_value("Not What animal is this?")
    app.rate(thumb="Bad")
    expect(app.rating_status).to_contain_text("Saved")
    comment.fill("Not sent")
    app.withdraw.click()
    expect(app.rating_status).to_contain_text("Withdrawn")
    drafts = "Object.keys(JSON.parse(sessionStorage.getItem('usam-rating-drafts'))).length"
    app.page.wait_for_function(f"{drafts} === 1")
    app.entries.locator("label").first.click()
    expect(correction).to_have_value("Not Which instrument?")
    app.ask_about("Is it asked?")
    app.page.wait_for_function("sessionStorage.getItem('usam-draft') === null")
    app.question_box.fill("Never asked")
    app.privacy.get_by_role("button", name="Your data").click()
    app.delete_data.click()
    app.delete_sure.click()
    expect(app.privacy_status).to_contain_text("Deleted")
    expect(app.question_box).to_have_value("")
    app.page.reload()
    expect(app.ask_button).to_be_visible()
    expect(app.question_box).to_have_value("")
    assert (
        app.page.evaluate(
            "sessionStorage.getItem('usam-draft') ?? sessionStorage.getItem('usam-rating-drafts')"
        )
        is None
    )


def test_a_lost_server_is_reported_and_taken_up_again_after_its_restart(
    browser: Browser, tmp_path: Path
) -> None:
    zone = ZoneInfo("Pacific/Kiritimati")  # no server is set to it
    context = browser.new_context(timezone_id=zone.key)
    with serve(settings_in(tmp_path), lambda progress: FakeEngine()) as url:
        app = AppPage(context.new_page(), url)
        app.wait_until_ready()
        app.upload(DOG)
        app.ask_about("What animal is this?")
        context.set_offline(True)
        expect(app.connection).to_contain_text("lost", timeout=WITHIN)
        expect(app.banner).to_be_hidden()
        context.set_offline(False)
        expect(app.connection).not_to_contain_text("lost", timeout=WITHIN)
        expect(app.banner).to_be_visible()
        app.ask_about("endless", finished=False)
        expect(app.answer_text).to_contain_text("on and on")
    expect(app.connection).to_contain_text("lost", timeout=WITHIN)
    port = int(url.rstrip("/").rsplit(":", 1)[1])
    with serve(settings_in(tmp_path), lambda progress: FakeEngine(), server_port=port):
        expect(app.answer_text).to_contain_text("What animal is this?")
        expect(app.question_box).to_have_value("endless")
        expect(app.connection).not_to_contain_text("lost")
        app.ask_about("And now?")
        expect(app.answer_text).to_contain_text("And now?")
        times = [datetime.now(zone) - timedelta(minutes=minutes) for minutes in range(10)]
        expected = re.compile("|".join(f"{time:%H:%M}" for time in times))
        expect(app.entries.locator("label")).to_have_text([expected, expected])
        app.against.locator("input").click()
        expect(app.against.get_by_role("option").last).to_contain_text(expected)
        context.close()
