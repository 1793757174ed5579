"""Rating in depth and comparing blind, with the small engine behind the page."""

import json
import re
from pathlib import Path

from playwright.sync_api import Browser, Locator, expect

from tests.browser.pages import AppPage
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, Server, rows, serve, settings_in

DOG = EXAMPLES / "sound-dog.ogg"
PIANO = EXAMPLES / "music-piano.ogg"


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


def seed_of(card: Locator) -> int:
    return int(re.findall(r"This is seed (\d+)", card.inner_text())[0])


def test_two_answers_are_compared_blind_and_identified_after_the_vote(app: AppPage, server: Server) -> None:
    expect(app.comparison).to_be_hidden()
    app.upload(DOG)
    app.ask_about("Which animal barks?")
    app.contest_start.click()
    cards = app.page.locator(".side")
    expect(cards).to_have_count(2)
    assert {seed_of(card) for card in cards.all()} == {1, 2}, "neither is the answer that was seen"
    expect(app.sides).not_to_contain_text("temperature")
    left, right = seed_of(cards.nth(0)), seed_of(cards.nth(1))
    app.vote_b.click()
    expect(app.comparison_status).to_contain_text("Saved: B is better")
    expect(cards.nth(1)).to_contain_text("temperature 0.7")
    expect(cards.nth(1)).to_contain_text("your choice")
    expect(app.vote_b).to_be_hidden()
    vote = (
        "SELECT a.seed, b.seed, c.winner, c.swapped FROM comparisons c "
        "JOIN answers a ON a.id = c.answer_a_id JOIN answers b ON b.id = c.answer_b_id "
        "ORDER BY c.created_at DESC LIMIT 1"
    )
    (seed_a, seed_b, winner, swapped), *_ = rows(server.data, vote)
    assert (seed_a if winner == "a" else seed_b) == right
    assert (seed_b if swapped else seed_a) == left
    expect(app.entries.get_by_text("This is seed")).to_have_count(3)

    app.contest.get_by_text("A usual and a bolder one").click()
    app.contest_start.click()
    expect(app.sides.locator("[data-open=false]")).to_be_visible()
    assert {seed_of(card) for card in cards.all()} == {3, 4}, "none of those that were seen"
    expect(app.sides).to_contain_text("Which animal barks?")
    app.page.wait_for_function("document.querySelector('#sides audio').duration > 7")
    app.vote_tie.click()
    expect(app.sides).to_contain_text("temperature 1.2")

    app.upload(PIANO)
    expect(app.stale).to_contain_text("About another clip, “Dog”")
    expect(app.contest_start).to_be_disabled()
    app.ask_about("Which instrument?")
    expect(app.stale).to_be_hidden()
    expect(app.contest_start).to_be_enabled()


def test_a_stopped_comparison_compares_nothing_and_the_page_goes_on(app: AppPage, server: Server) -> None:
    app.upload(DOG)
    app.ask_about("endless", finished=False)
    expect(app.answer_text).to_contain_text("on and on")
    app.stop.click()
    app.wait_for_answer()
    app.contest_start.click()
    expect(app.comparison_status).to_contain_text("Writing answer 1 of 2")
    app.stop.click()
    expect(app.comparison_status).to_contain_text("Stopped. Nothing to compare.")
    expect(app.page.locator(".side")).to_have_count(0)
    app.ask_about("What animal is this?")
    expect(app.comparison_status).to_be_hidden()


def test_what_is_stored_is_shown_and_deleted_with_audio_and_traces(browser: Browser, tmp_path: Path) -> None:
    with serve(settings_in(tmp_path), lambda progress: FakeEngine()) as url:
        context = browser.new_context()
        app = AppPage(context.new_page(), url)
        expect(app.keep).to_contain_text("Each answer is stored here")  # before the first save
        app.upload(DOG)
        app.keep.get_by_role("checkbox").check()
        app.ask_about("What animal is this?")
        app.rate(thumb="Good")
        expect(app.rating_status).to_contain_text("Saved")
        assert len(list(tmp_path.glob("audio/*"))) == 1
        app.page.get_by_role("button", name="Your data").click()
        expect(app.held).to_contain_text(
            re.compile(
                r"Answers\s*1\s*Ratings\s*1\s*Comparisons\s*0\s*"
                r"Marked spans\s*0\s*Judged tokens\s*0\s*Clips with audio\s*1"
            )
        )
        app.delete_data.click()
        app.delete_not.click()
        expect(app.delete_sure).to_be_hidden()
        assert rows(tmp_path, "SELECT count(*) FROM ratings") == [(1,)]
        app.delete_data.click()
        expect(app.page.locator("#delete-what")).to_contain_text("1 answer of yours")
        expect(app.page.locator("#delete-judged")).to_be_hidden()  # nobody else judged it
        app.delete_sure.click()
        expect(app.privacy_status).to_contain_text("Deleted: 1 answer with its trace, 1 rating")
        expect(app.privacy_status).to_contain_text("1 audio file")
        expect(app.thread).to_contain_text("Your answer appears here")
        expect(app.rating_form).to_be_hidden()
        for table in ("answers", "internals", "ratings", "rating_revisions", "clips", "annotators"):
            assert rows(tmp_path, f"SELECT count(*) FROM {table}") == [(0,)], table
        assert not list(tmp_path.glob("audio/*"))
        app.ask_about("Again?")
        assert rows(tmp_path, "SELECT count(*) FROM annotators") == [(1,)]
        context.close()
