"""Comparing two checkpoints blind, without a browser: on Annotate, and what Teach says of it."""

import re
from pathlib import Path
from typing import Any

import pytest

from storage.analysis.win_rate import WinRate
from tests.ui.blind import HELD, BlindApp
from ui.pages.annotate.blind import BlindHandlers, BlindSession
from ui.pages.teach.blind_card import blind_card
from ui.studio.tuning.blind_trials import BlindTrial, WritingState

NOBODY: Any = None


class Names:
    """Blocks that are their own names."""

    def __getattr__(self, name: str) -> str:
        return name


@pytest.fixture
def app(tmp_path: Path) -> BlindApp:
    return BlindApp(tmp_path)


@pytest.fixture
def page(app: BlindApp) -> BlindHandlers:
    panel: Any = Names()
    return BlindHandlers(panel, app.studio)


def visible(shown: dict[Any, Any]) -> bool:
    return bool(shown["box"]["visible"])


def test_a_person_compares_each_pair_once_and_is_not_told_which_is_which(
    app: BlindApp, page: BlindHandlers
) -> None:
    assert not visible(page.blind_opened("me", NOBODY))
    sources = [app.ask(seed) for seed in HELD[:2]]
    app.run()
    first = page.blind_opened("me", NOBODY)
    session: BlindSession = first["session"]
    assert visible(first)
    assert session.pair is not None
    assert {session.sides[0], session.sides[1]} == {session.pair.old, session.pair.new}
    assert "<audio" in first["sides"]
    for told in (*session.sides, app.tuned.name, app.tuned.parent, "Seed"):
        assert told not in first["sides"]
    second = page.blind_skipped(session, "me")["session"]
    assert {session.pair.source, second.pair.source} == set(sources)
    left = page.blind_voted("a", second, "me")
    assert not visible(left), "one was skipped, on the other a vote is cast"
    assert "Saved" in left["status"]
    won = second.sides[0] == second.pair.new
    rate = app.studio.blind_trials.win_rate(BlindTrial(app.pairs()))
    assert (rate.wins, rate.losses) == (int(won), int(not won))
    assert page.blind_opened("me", NOBODY)["session"].pair == session.pair, "what was skipped comes again"


def test_a_pair_whose_answers_were_deleted_is_not_shown(app: BlindApp, page: BlindHandlers) -> None:
    app.ask(HELD[0])
    app.run()
    session = page.blind_opened("me", NOBODY)["session"]
    app.studio.feedback.forget(annotator="asker")
    assert "fault" in page.blind_voted("a", session, "me")["status"]
    assert not visible(page.blind_opened("me", NOBODY))


def test_teach_says_how_far_the_votes_decide(app: BlindApp) -> None:
    app.ask(HELD[0])
    app.run()
    trial = app.studio.blind_trials.trial(app.tuned)

    def text_of(rate: WinRate) -> str:
        return re.sub("<[^>]+>", "", blind_card("tuned-1", WritingState(), trial, rate))

    few = text_of(WinRate(8, 3, 1, people=1))
    assert "12 of at least 30 votes, 1 of 2 people, new preferred in 0.71 (0.30–0.96)" in few
    assert "Decided" not in few
    assert "people prefer tuned-1" in text_of(WinRate(40, 5, 1, people=3))
    assert "people prefer the checkpoint before" in text_of(WinRate(5, 40, 1, people=3))
