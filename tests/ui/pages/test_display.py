"""What the main page shows about the answer on display, and compares with it; without a browser."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from storage import Feedback, open_database
from storage.export import export
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, settings_in
from ui.components.rating import save_rating
from ui.engines.loader import EngineLoader
from ui.pages.ask.comparison import CONTESTS, BlindPair, ComparisonHandlers
from ui.pages.ask.display import Display
from ui.pages.ask.events import display_of
from ui.pages.ask.page import build_page
from ui.studio.service import AskRequest, Studio
from ui.studio.session import Session, SessionAnswer

DOG = EXAMPLES / "sound-dog.ogg"
PIANO = EXAMPLES / "music-piano.ogg"
REQUEST: Any = SimpleNamespace(session_hash="page", client=None)


@dataclass
class OpenPage:
    """The page's parts behind their events, with a fake engine."""

    studio: Studio
    display: Display
    comparison: ComparisonHandlers
    engine: FakeEngine

    def asked(self, question: str, clip: Path = DOG) -> SessionAnswer:
        events = self.studio.ask(AskRequest(question, "qa", str(clip)), "me", threading.Event())
        (answer,) = (event for event in events if isinstance(event, SessionAnswer))
        return answer

    def written(
        self, contest: str, session: Session, blind_pair: BlindPair, source: Path | None = None
    ) -> dict[Any, Any]:
        """What the page shows once both answers of a comparison are written."""
        self.studio.running.begin("page")
        in_player = str(source) if source else None
        *_, last = self.comparison.write(contest, in_player, False, session, blind_pair, "me", REQUEST)
        self.studio.running.end("page")
        return last


@pytest.fixture
def open_page(tmp_path: Path) -> Iterator[OpenPage]:
    settings, engine = settings_in(tmp_path), FakeEngine(pause=0)
    loader = EngineLoader(lambda progress: engine)  # type: ignore[arg-type, return-value]
    studio = Studio(loader, Feedback(open_database(settings.database_url)), settings)
    with gr.Blocks():
        page = build_page(settings, studio.identity)
    comparison = ComparisonHandlers(page.comparison, page.question, page.history, page.session, studio)
    yield OpenPage(studio, display_of(page, studio), comparison, engine)
    studio.feedback.database.close()


def test_an_answer_beside_another_clip_is_marked_and_not_compared(open_page: OpenPage) -> None:
    display, session = open_page.display, Session().add(open_page.asked("What?"))
    beside = display.beside(str(PIANO), session, "me")
    assert "About another clip" in beside[display.answer.stale]
    assert "Dog" in beside[display.answer.stale]
    assert beside[display.comparison.start].interactive is False
    before = len(open_page.engine.asked)
    refused = open_page.written("unseen", session, BlindPair(), PIANO)
    assert "another clip" in refused[open_page.comparison.panel.status]
    assert len(open_page.engine.asked) == before
    for same in (str(DOG), None):
        beside = display.beside(same, session, "me")
        assert beside[display.answer.stale] == ""
        assert beside[display.comparison.start].interactive is True


def test_an_answer_without_its_audio_is_off_until_the_same_clip_is_here_again(open_page: OpenPage) -> None:
    display, entry = open_page.display, replace(open_page.asked("What?"), audio=None, source="")
    session = Session().add(entry)
    shown = display.shown(session, "me")
    off = [display.answer.retry, *display.what_if.starts]
    assert [shown[button].interactive for button in off] == [False] * len(off)
    assert "not kept" in shown[display.inspector.notice]
    assert json.loads(shown[display.inspector.viewer])["trace"]["audible"] is False
    again = display.beside(str(DOG), session, "me")
    assert [again[button].interactive for button in off] == [True] * len(off)
    assert again[display.inspector.notice] == ""
    assert json.loads(again[display.inspector.viewer])["trace"]["audible"] is True
    assert again[display.session].current.source == str(DOG)


@pytest.mark.parametrize("contest", list(CONTESTS))
def test_no_side_of_a_comparison_was_seen_before(open_page: OpenPage, contest: str) -> None:
    session = Session().add(open_page.asked("What <b>animal</b>?"))
    updates = open_page.written(contest, session, BlindPair())
    pair = updates[open_page.comparison.panel.blind_pair].pair
    texts = {entry.answer.text for entry in (*session.entries, *pair)}
    assert len(texts) == 3
    sides = updates[open_page.comparison.panel.sides]
    assert "What &lt;b&gt;animal&lt;/b&gt;?" in sides
    assert "<audio" in sides


def test_an_answer_that_was_seen_is_written_with_another_seed(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_page.engine, "words", lambda question, seed, history: [f"text {seed // 2}"])
    session = Session().add(open_page.asked("What?"))
    pair = open_page.written("unseen", session, BlindPair())[open_page.comparison.panel.blind_pair].pair
    assert {entry.answer.text for entry in pair} == {"text 1", "text 2"}
    monkeypatch.setattr(open_page.engine, "words", lambda question, seed, history: ["text 0"])
    updates = open_page.written("unseen", session, BlindPair())
    assert "word for word" in updates[open_page.comparison.panel.status]
    assert updates[open_page.comparison.panel.blind_pair].pair == ()


def test_sides_are_random_and_a_vote_becomes_a_preference(open_page: OpenPage, tmp_path: Path) -> None:
    """Twelve comparisons; all on one side would be chance once in two thousand runs."""
    handlers, feedback = open_page.comparison, open_page.studio.feedback
    session, blind_pair, orders = Session().add(open_page.asked("What?")), BlindPair(), set()
    for _ in range(12):
        updates = open_page.written("unseen", session, blind_pair)
        blind_pair = updates[handlers.panel.blind_pair]
        left, right = (entry.answer.seed for entry in blind_pair.pair)
        orders.add(left < right)
        handlers.vote("a" if left < right else "b", session, blind_pair, "me")
        assert handlers.panel.status in handlers.vote("tie", session, blind_pair, "me"), (
            "a second vote is refused"
        )
    assert orders == {True, False}
    audit = export(feedback.database, "dpo", tmp_path / "out", audit=True)
    pairs = [json.loads(line) for file in (tmp_path / "out").glob("*.jsonl") for line in file.open()]
    assert len(pairs) == audit.rows.total() == 12
    for pair in pairs:
        better, worse = (
            int(pair[key][0]["content"].split("seed ")[1].split()[0]) for key in ("chosen", "rejected")
        )
        assert better < worse


def test_a_rating_that_speaks_against_itself_is_saved_and_questioned(open_page: OpenPage) -> None:
    panel, feedback = open_page.display.rating, open_page.studio.feedback
    entry = open_page.asked("What?")
    said = save_rating(panel, feedback, entry.answer_id, "me", {"thumb": -1, "score": 4})[panel.status]
    assert "Saved" in said
    assert "contradict" in said
    assert (
        "contradict"
        not in save_rating(panel, feedback, entry.answer_id, "me", {"thumb": 1, "score": 4})[panel.status]
    )
