"""The Annotate page without a browser: what it says, and whose items it shows."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from storage import Feedback, open_database
from storage.annotation.gold import Gold
from storage.annotation.projects import Projects
from storage.annotation.queue import QueueCounts
from tests.fake_engine import FakeEngine
from tests.serving import settings_in
from tests.ui.pages.records import HOSTILE, record
from ui.components.annotator_state import annotator_state
from ui.engines.loader import EngineLoader
from ui.pages.annotate import render
from ui.pages.annotate.handlers import AnnotateHandlers
from ui.pages.annotate.panel import annotate_panel
from ui.pages.annotate.session import AnnotationSession
from ui.studio.service import Studio

NOBODY: Any = None


def test_a_count_that_stopped_says_so() -> None:
    assert "<b>12,000</b> left" in render.progress(QueueCounts(1, 0, 0, 12_000))
    assert "more than" not in render.progress(QueueCounts(1, 0, 0, 12_000))
    assert "more than <b>10,000</b> left" in render.progress(QueueCounts(1, 0, 0, 10_000, more=True))


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    settings = settings_in(tmp_path)
    engine: Any = FakeEngine()
    return Studio(
        EngineLoader(lambda progress: engine), Feedback(open_database(settings.database_url)), settings
    )


@pytest.fixture
def page(studio: Studio) -> AnnotateHandlers:
    with gr.Blocks():
        panel, session = annotate_panel(studio.settings), gr.State(AnnotationSession())
        return AnnotateHandlers(panel, session, annotator_state(studio.identity), studio)


def add(studio: Studio, project: str, number: int, gold: Gold | None = None) -> str:
    answer = studio.feedback.record_answer(record(number), annotator=None)
    Projects(studio.feedback.database).add(project, answer, f"{number}.wav", gold)
    return answer


def test_without_projects_there_is_nothing_to_choose(page: AnnotateHandlers) -> None:
    opened = page.opened("me", "newest", False, NOBODY)
    assert not opened[page.panel.project].visible
    assert not opened[page.panel.guidelines]["visible"]


def test_a_person_chooses_among_the_projects_open_to_them(page: AnnotateHandlers, studio: Studio) -> None:
    projects = Projects(studio.feedback.database)
    projects.make("for all", HOSTILE)
    projects.make("annas", members={"anna": "Anna"})
    item = add(studio, "annas", 1)
    choice = page.opened("anna", "newest", False, NOBODY)[page.panel.project]
    assert [name for _, name in choice.choices] == ["", "annas", "for all"]
    assert choice.value == "annas", "what is assigned to her comes at once"
    others = page.opened("ben", "newest", False, NOBODY)[page.panel.project]
    assert [name for _, name in others.choices] == ["", "for all"]
    assert others.value == ""

    started = page.started("anna", "newest", False, "annas", NOBODY)
    assert started[page.session].current == item
    refused = page.started("ben", "newest", False, "annas", NOBODY)
    assert refused[page.session].current is None
    assert item not in str(refused)
    guidelines = page.started("ben", "newest", False, "for all", NOBODY)[page.panel.guidelines]["value"]
    assert "<details" in guidelines
    assert "<script" not in guidelines


def test_a_project_that_is_closed_meanwhile_ends_with_the_batch(
    page: AnnotateHandlers, studio: Studio
) -> None:
    projects = Projects(studio.feedback.database)
    projects.make("birds")
    item = add(studio, "birds", 1)
    session = page.started("me", "newest", False, "birds", NOBODY)[page.session]
    projects.close("birds")
    fields = [1, None, [], "", "", *(None for _ in page.panel.rating.dimensions)]
    after = page.submit(*fields, session, "me")
    assert studio.feedback.rating(item, "me") is not None, "what was judged is saved"
    assert "is closed" in after[page.panel.item]


def test_nothing_on_the_page_tells_gold_or_what_others_said(page: AnnotateHandlers, studio: Studio) -> None:
    Projects(studio.feedback.database).make("birds", wanted=2)
    gold = add(studio, "birds", 1, Gold(thumb=-1, score=1, text="the secret text"))
    for person in ("p", "q", "r"):
        studio.feedback.rate(gold, person, thumb=1, comment="their secret")
    shown = page.started("me", "newest", False, "birds", NOBODY)
    assert shown[page.session].current == gold
    assert "Judged by" not in shown[page.panel.item], "only gold is judged by more than are wanted"
    everything = str({str(block): value for block, value in shown.items()}) + repr(vars(shown[page.session]))
    assert "secret" not in everything
    assert "gold" not in everything.lower()
    assert page.panel.submit is not None


def test_undo_within_a_project_counts_within_it(page: AnnotateHandlers, studio: Studio) -> None:
    Projects(studio.feedback.database).make("birds")
    for number in (1, 2):
        add(studio, "birds", number)
    stray = studio.feedback.record_answer(record(3), annotator="asker")
    studio.feedback.rate(stray, "me", thumb=1)
    session = page.started("me", "newest", False, "birds", NOBODY)[page.session]
    skipped = page.skip(session, "me")[page.session]
    assert (skipped.counts.skipped, skipped.counts.judged, skipped.counts.left) == (1, 0, 1)
    undone = page.undo(skipped, "me")[page.session]
    assert (undone.counts.skipped, undone.counts.left) == (0, 2)
    assert undone.current == session.current
