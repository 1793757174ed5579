"""The Teach page without a browser: who may use it, and what it shows."""

import json
import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from storage import Feedback, open_database
from tests.fake_engine import FakeEngine
from tests.serving import settings_in
from tests.ui.pages.records import HOSTILE
from tests.ui.tuning import add_tuned, let_it_wait, teaching_in, wait_until_under_way
from ui.access.admin import AdminGate
from ui.engines.loader import EngineLoader
from ui.engines.pool import EnginePool
from ui.pages.teach import render
from ui.pages.teach.handlers import TeachHandlers
from ui.studio.service import Studio
from ui.studio.tuning.teaching import Learnable, TeachingState
from usam.errors import RequestError


class OpenGate(AdminGate):
    """Lets everyone in who types nothing."""

    def require(self, typed: str, request: gr.Request, profile: gr.OAuthProfile | None = None) -> None:
        if typed:
            raise RequestError("Admins only.")


class Names:
    """Blocks that are their own names."""

    def __getattr__(self, name: str) -> str:
        return name


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    settings = settings_in(tmp_path)
    engine: Any = FakeEngine()
    loader = EngineLoader(lambda progress: engine)
    loader.start()
    loader.join()
    tuned = settings.data / "checkpoints"
    pool = EnginePool(loader, [tuned], lambda folder, quantization, progress: engine)
    studio = Studio(loader, Feedback(open_database(settings.database_url)), settings, pool)
    studio.teaching = teaching_in(settings)
    return studio


@pytest.fixture
def page(studio: Studio) -> TeachHandlers:
    blocks: Any = Names()
    return TeachHandlers(studio, OpenGate("sesame"), blocks)


NOBODY: Any = None


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_counts_say_how_much_of_what_is_left_out_and_whose_it_is(page: TeachHandlers) -> None:
    *_, counted = page.teach_counted("", NOBODY)
    assert "comparisons 12 thumbs 3" in text(counted)
    assert "audio not kept 2" in text(counted)
    assert "one person" in counted
    many = render.learnable(Learnable({"thumb": 4}, {}, {"a": 3, "b": 1}))
    assert "2 people; the busiest gave 75% of it" in text(many)
    nothing = render.learnable(Learnable({}, {"audio not kept": 2}, {}))
    assert "nothing to learn from yet" in nothing
    assert "audio not kept 2" in text(nothing)


def test_a_run_is_started_stopped_and_started_again(page: TeachHandlers, tmp_path: Path) -> None:
    let_it_wait(tmp_path)
    begun = page.teach_started("", NOBODY)
    wait_until_under_way(tmp_path)
    assert begun["looking"].active
    assert begun["stop"].interactive
    assert "already" in page.teach_started("", NOBODY)["run"]
    ended = page.teach_stopped("", NOBODY)
    assert "Stopped" in ended["run"]
    assert not ended["looking"].active
    assert ended["start"].interactive
    (tmp_path / "waits").unlink()
    page.teach_started("", NOBODY)
    page.studio.teaching.join()
    shown = page.teach_looked("", NOBODY)
    assert "9 of 10 (90%, 95 % 60% to 98%)" in text(shown["card"])
    assert "40% before, 80% after" in text(shown["card"])
    assert "tuned-1" in shown["history"]
    assert shown["choice"].value == "tuned-1"


def test_the_card_of_a_checkpoint_shows_what_was_measured_and_what_changed(page: TeachHandlers) -> None:
    first = add_tuned(page.studio.tuned, evaluation=None).name
    second = add_tuned(page.studio.tuned).name
    card = text(page.teach_chosen("", second, NOBODY)["card"])
    assert "Questions 0.61 (0.55–0.67), 120 clips 0.60 (0.54–0.66), 120 clips" in card
    assert "2 answers about held-out clips, before and after: 1 changed" in card
    assert "What is it? A dog or a cat. A dog. Which bird?" in card, "those that changed come first"
    assert "Public evaluation" not in page.teach_chosen("", first, NOBODY)["card"]
    hostile = {"answers": [{"question": HOSTILE, "before": HOSTILE, "after": HOSTILE}]}
    (page.studio.tuned.folder / first / "answers.json").write_text(json.dumps(hostile))
    assert "<img" not in page.teach_chosen("", first, NOBODY)["card"]
    (page.studio.tuned.folder / first / "answers.json").write_text("{")
    assert "Held-out votes" in page.teach_chosen("", first, NOBODY)["card"]
    assert page.teach_chosen("", None, NOBODY)["card"] == ""


def test_promoting_and_rolling_back_say_which_one_answers(page: TeachHandlers) -> None:
    name = add_tuned(page.studio.tuned).name
    assert not page.teach_opened("", NOBODY)["roll_back"].interactive
    *_, promoted = page.promoted("", name, False, NOBODY)
    assert f"{name} answers new questions" in promoted["changed"]
    assert f"{name} answers now" in promoted["history"]
    assert promoted["roll_back"].interactive
    *_, back = page.rolled_back("", NOBODY)
    assert "mini, not tuned, answers now" in back["history"]


def test_a_refused_one_says_why_and_is_promoted_with_the_box_ticked(page: TeachHandlers) -> None:
    name = add_tuned(page.studio.tuned, refused=HOSTILE, after=None).name
    shown = page.teach_opened("", NOBODY)["history"]
    assert "<img" not in shown
    assert "refused" in shown
    [refusal] = page.promoted("", name, False, NOBODY)
    assert "was refused" in refusal["changed"]
    *_, promoted = page.promoted("", name, True, NOBODY)
    assert f"{name} answers new questions" in promoted["changed"]


def test_a_blind_trial_that_cannot_be_held_says_why(page: TeachHandlers) -> None:
    name = add_tuned(page.studio.tuned).name
    assert "not here any more" in page.blind_started("", name, NOBODY)["blind"]
    page.studio.promotion.llm = "owner/other"
    assert "USAM_LLM" in page.blind_started("", name, NOBODY)["blind"]


def test_nothing_happens_for_who_is_no_admin(page: TeachHandlers, tmp_path: Path) -> None:
    name = add_tuned(page.studio.tuned).name
    for done in (page.teach_opened, page.teach_looked, page.teach_started, page.teach_stopped):
        shown = done("guess", NOBODY)
        assert "Admins only" in shown["run"]
        assert "history" not in shown
    assert all("Admins only" in shown for shown in page.teach_counted("guess", NOBODY))
    assert "Admins only" in page.teach_chosen("guess", name, NOBODY)["card"]
    for done in (page.blind_started, page.blind_ended, page.blind_watched):
        assert "Admins only" in done("guess", name, NOBODY)["blind"]
    assert not (page.studio.tuned.folder / name / "blind.json").exists()
    for changed in (page.promoted("guess", name, True, NOBODY), page.rolled_back("guess", NOBODY)):
        assert ["Admins only" in str(shown) for shown in changed] == [True]
    assert page.studio.teaching.state == TeachingState()
    assert page.studio.tuned.promoted() == []
