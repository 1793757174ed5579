"""The Projects page without a browser: who may use it, and what it does."""

import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from storage import Feedback, only_process, open_database
from storage.annotation.gold import Gold
from storage.annotation.projects import Projects
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, settings_in
from tests.ui.importing import DOG, item
from tests.ui.pages.records import HOSTILE, record
from ui.access.accounts import Accounts
from ui.access.admin import AdminGate
from ui.components.export_card import prepare
from ui.engines.loader import EngineLoader
from ui.pages.projects import render
from ui.pages.projects.blocks import Description, GoldForm, ImportForm, ProjectsBlocks
from ui.pages.projects.handlers import ProjectsHandlers
from ui.pages.projects.import_handlers import ImportHandlers
from ui.studio.projects.importer import ELSEWHERE, ENDING, ImportState
from ui.studio.service import Studio
from usam.errors import RequestError

NOBODY: Any = None


class OpenGate(AdminGate):
    """Lets everyone in who types nothing."""

    def require(self, typed: str, request: gr.Request, profile: gr.OAuthProfile | None = None) -> None:
        if typed:
            raise RequestError("Admins only.")


def named(kind: Any) -> Any:
    """A form whose blocks are their own names."""
    return kind(*(f"{kind.__name__}.{name}" for name in kind.__dataclass_fields__))


@pytest.fixture
def blocks() -> ProjectsBlocks:
    names: Any = {name: name for name in ProjectsBlocks.__dataclass_fields__}
    forms = {"about": named(Description), "importing": named(ImportForm), "gold": named(GoldForm)}
    return ProjectsBlocks(**{**names, **forms})


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    accounts = tmp_path / "accounts"
    for name in ("anna", "ben"):
        Accounts(accounts).save(name, "correct horse")
    settings = settings_in(tmp_path / "data", accounts=accounts)
    engine: Any = FakeEngine(pause=0)
    return Studio(
        EngineLoader(lambda progress: engine), Feedback(open_database(settings.database_url)), settings
    )


@pytest.fixture
def page(studio: Studio, blocks: ProjectsBlocks) -> ProjectsHandlers:
    return ProjectsHandlers(studio, OpenGate("sesame"), blocks)


@pytest.fixture
def imports(studio: Studio, blocks: ProjectsBlocks) -> ImportHandlers:
    return ImportHandlers(studio, OpenGate("sesame"), blocks)


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def make(page: ProjectsHandlers, name: str = "birds", people: str = "", wanted: float = 1) -> dict[Any, Any]:
    return page.projects_saved("", "", name, wanted, not people, people, "Listen first.", NOBODY)


def test_only_admins_do_anything(page: ProjectsHandlers, imports: ImportHandlers, studio: Studio) -> None:
    make(page)
    answer = studio.feedback.record_answer(record(1), annotator=None)
    page.projects.add("birds", answer)
    refused = [
        page.projects_opened("x", "birds", NOBODY),
        page.projects_chosen("x", "birds", NOBODY),
        page.projects_saved("x", "", "fish", 1, True, "", "", NOBODY),
        page.projects_closed("x", "birds", NOBODY),
        page.projects_searched("x", "birds", "", NOBODY),
        page.projects_marked("x", "birds", "", answer, 1, None, "", NOBODY),
        page.projects_unmarked("x", "birds", "", answer, NOBODY),
        imports.projects_imported("x", "birds", [str(EXAMPLES / "sound-dog.ogg")], "qa", "", NOBODY),
        imports.projects_import_looked("x", "birds", NOBODY),
        imports.projects_import_stopped("x", "birds", NOBODY),
        imports.projects_import_retried("x", "birds", NOBODY),
        imports.projects_import_discarded("x", "birds", NOBODY),
    ]
    for updates in refused:
        shown = [value for value in updates.values() if isinstance(value, str)]
        assert len(shown) == 1
        assert "Admins only." in shown[0]
    assert [project.name for project in page.projects.all()] == ["birds"]
    assert not page.projects.get("birds").closed
    assert page.projects.items("birds")[0].gold is None
    assert page.projects.progress("birds").waiting == 0


def test_a_project_is_assigned_to_accounts_by_name(page: ProjectsHandlers, studio: Studio) -> None:
    assert "no account carl" in text(make(page, people="anna, carl")[page.blocks.about.saved])
    assert page.projects.all() == []
    make(page, people="anna\nben")
    anna = studio.identity.id_of("anna")
    assert [project.name for project in page.projects.open_to(anna)] == ["birds"]
    assert page.projects.open_to("somebody") == []
    shown = page.projects_chosen("", "birds", NOBODY)
    assert shown[page.blocks.about.people] == "anna, ben"
    assert "anna" in text(shown["progress"])
    assert anna not in str(shown), "ids are not shown"
    changed = page.projects_saved("", "birds", "birds", 3, True, "", "", NOBODY)
    assert changed[page.blocks.about.everyone]
    assert page.projects.get("birds").wanted == 3


def test_an_assignment_that_emptied_does_not_open_the_project(page: ProjectsHandlers, studio: Studio) -> None:
    make(page, people="anna")
    studio.feedback.forget(annotator=studio.identity.id_of("anna"))
    refused = page.projects_saved("", "birds", "birds", 1, False, "", "", NOBODY)
    assert "Name the accounts" in text(refused[page.blocks.about.saved])
    assert not page.projects.get("birds").open_to_all


def test_whom_the_command_line_assigned_stays(page: ProjectsHandlers, studio: Studio) -> None:
    page.projects.make("birds", members={"a-program": ""})
    page.projects_saved("", "birds", "birds", 2, False, "", "Louder.", NOBODY)
    page.projects_saved("", "birds", "birds", 2, False, "anna", "Louder.", NOBODY)
    assert set(page.projects.members("birds") or {}) == {"a-program", studio.identity.id_of("anna")}


@pytest.mark.parametrize("wanted", [None, 0, 1.5, 1e9, float("inf")])
def test_an_impossible_number_of_judgements_is_refused(page: ProjectsHandlers, wanted: Any) -> None:
    assert "judgements" in text(make(page, wanted=wanted)[page.blocks.about.saved])


def test_clips_are_imported_and_failures_listed(
    page: ProjectsHandlers, imports: ImportHandlers, tmp_path: Path
) -> None:
    make(page)
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")
    files = [str(EXAMPLES / "sound-dog.ogg"), str(broken)]
    started = imports.projects_imported("", "birds", files, "qa", "Which animal?", NOBODY)
    assert "2 clips" in text(started[imports.blocks.importing.status])
    imports.studio.importer.join()
    looked = imports.projects_import_looked("", "birds", NOBODY)
    state = text(looked[imports.blocks.importing.state])
    assert "broken.wav" in state
    assert "0 of 1 item" in text(looked["progress"])
    assert not looked[imports.blocks.importing.looking].active
    imports.projects_import_discarded("", "birds", NOBODY)
    assert page.projects.progress("birds").failed == 0
    refused = imports.projects_imported("", "birds", None, "qa", "", NOBODY)
    assert "Choose the clips" in text(refused[imports.blocks.importing.status])


def test_an_import_of_another_process_is_shown_and_can_be_stopped(
    page: ProjectsHandlers, imports: ImportHandlers, studio: Studio
) -> None:
    make(page)
    form = imports.blocks.importing
    studio.importer.imports.add("birds", [item(DOG)])
    other = open_database(studio.settings.database_url)
    with only_process(other, "import"):
        looked = imports.projects_import_looked("", "birds", NOBODY)
        assert ELSEWHERE in text(looked[form.state])
        assert "1 clip not asked about yet" in text(looked[form.state])
        assert (looked[form.stop].interactive, looked[form.retry].visible) == (True, False)
        assert looked[form.looking].active
        stopped = imports.projects_import_stopped("", "birds", NOBODY)
        assert ENDING in text(stopped[form.state])
        assert (stopped[form.stop].interactive, stopped[form.retry].visible) == (False, False)
        assert stopped[form.looking].active, "until the other process is at its end"
    other.close()
    ended = imports.projects_import_looked("", "birds", NOBODY)
    assert text(ended[form.state]) == " 1 clip not asked about yet. "
    assert (ended[form.stop].interactive, ended[form.retry].visible) == (False, True)
    assert not ended[form.looking].active
    imports.projects_import_retried("", "birds", NOBODY)
    studio.importer.join()
    assert page.projects.progress("birds").items == 1


def test_clips_that_another_process_left_are_watched_until_one_goes_on(
    page: ProjectsHandlers, imports: ImportHandlers, studio: Studio
) -> None:
    make(page)
    form = imports.blocks.importing
    studio.importer.imports.add("birds", [item(DOG)])
    left = imports.projects_import_looked("", "birds", NOBODY)
    assert (left[form.stop].interactive, left[form.retry].visible) == (True, True)
    assert left[form.looking].active
    imports.projects_import_stopped("", "birds", NOBODY)
    studio.importer.look()
    assert not studio.importer.state.running, "it was stopped before anybody went on"


def test_gold_is_marked_and_scored(page: ProjectsHandlers, studio: Studio) -> None:
    make(page)
    answer = studio.feedback.record_answer(record(1), annotator=None)
    page.projects.add("birds", answer, "1.wav")
    gold = page.blocks.gold
    nothing = page.projects_marked("", "birds", "", answer, None, None, "", NOBODY)
    assert "known judgement" in text(nothing[gold.marked])
    page.projects_marked("", "birds", "", answer, -1, None, "", NOBODY)
    assert page.projects.items("birds")[0].gold == Gold(thumb=-1)
    studio.feedback.rate(answer, studio.identity.id_of("ben"), thumb=1)
    shown = page.projects_chosen("", "birds", NOBODY)
    assert "ben 1 0 0 of 1" in text(shown["progress"])
    page.projects_unmarked("", "birds", "", answer, NOBODY)
    assert page.projects.items("birds")[0].gold is None


def test_a_project_is_closed_and_exported(page: ProjectsHandlers, studio: Studio) -> None:
    make(page)
    inside, outside = (studio.feedback.record_answer(record(n), annotator=None) for n in (1, 2))
    page.projects.add("birds", inside)
    for answer in (inside, outside):
        studio.feedback.rate(answer, "me", thumb=1)
    page.projects_closed("", "birds", NOBODY)
    assert page.projects.get("birds").closed
    *_, made = prepare(studio.feedback.database, studio.downloads, "csv", (), "birds")
    assert "ratings.csv 1" in text(made)
    assert "usam-birds-csv-" in made


def test_what_people_wrote_is_text(studio: Studio) -> None:
    projects = Projects(studio.feedback.database)
    projects.make("birds", HOSTILE)
    answer = studio.feedback.record_answer(record(1, answer=HOSTILE, question=HOSTILE), annotator=None)
    projects.add("birds", answer, HOSTILE, Gold(text=HOSTILE))
    state = ImportState(running=True, source=HOSTILE, done=1, left=3, seconds_left=200)
    html = render.items(projects.items("birds"), True) + render.importing(state, None, [])
    assert "<img" not in html
    assert "about 3 min left" in text(html)
