"""The layout of the Projects page, and what is connected to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from storage.annotation.projects import MAX_GUIDELINES, MAX_NAME, MAX_WANTED
from storage.ratings.validation import MAX_CORRECTION
from ui.components.export_card import training_card
from ui.components.uploads import uploads_only
from ui.pages.projects.blocks import Description, GoldForm, ImportForm, ProjectsBlocks
from ui.pages.projects.handlers import ProjectsHandlers
from ui.pages.projects.import_handlers import ImportHandlers
from ui.pages.projects.render import HINT
from ui.settings import Settings
from ui.studio.projects.sources import GOLD, TABLES
from usam.schema.tasks import MAX_QUESTION, TASKS

if TYPE_CHECKING:
    from ui.access.admin import AdminGate
    from ui.studio.service import Studio

LOOK_SECONDS = 2.0
"""Between two looks at an import."""


def projects_page(demo: gr.Blocks, studio: Studio, gate: AdminGate) -> None:
    """Lay the page out and connect it. Called inside its route's context."""
    blocks = _layout(studio, gate)
    on = ProjectsHandlers(studio, gate, blocks)
    imports = ImportHandlers(studio, gate, blocks)
    fast: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    once: dict[str, Any] = {**fast, "trigger_mode": "once", "concurrency_limit": 1}
    place = [blocks.password, blocks.choice]
    everything, importing = blocks.shown, blocks.importing.shown
    for event in (demo.load, blocks.password.submit):
        event(on.projects_opened, place, everything, **fast)
    blocks.choice.input(on.projects_chosen, place, everything, **fast)
    blocks.refresh.click(on.projects_chosen, place, everything, **fast)
    about = blocks.about
    about.save.click(on.projects_saved, [*place, *about.fields], everything, **once)
    about.close.click(on.projects_closed, place, everything, **once)
    form = blocks.importing
    given = [*place, form.files, form.task, form.question]
    form.start.click(imports.projects_imported, given, [form.files, *importing], **once)
    form.stop.click(imports.projects_import_stopped, place, importing, **once)
    form.retry.click(imports.projects_import_retried, place, importing, **once)
    form.discard.click(imports.projects_import_discarded, place, importing, **once)
    form.looking.tick(imports.projects_import_looked, place, [*importing, blocks.progress], **fast)
    gold = blocks.gold
    looked = [gold.listed, gold.item, gold.marked]
    gold.words.submit(on.projects_searched, [*place, gold.words], looked, **fast)
    known = [gold.thumb, gold.score, gold.text]
    marked = [*looked, *known, blocks.progress, blocks.overview]
    gold.mark.click(on.projects_marked, [*place, gold.words, gold.item, *known], marked, **once)
    gold.unmark.click(on.projects_unmarked, [*place, gold.words, gold.item], marked, **once)


def _layout(studio: Studio, gate: AdminGate) -> ProjectsBlocks:
    settings = studio.settings
    gr.Navbar(main_page_name="Studio")
    gr.HTML("<h2>Projects</h2>" + HINT)
    password = gate.password_box("projects-password")
    with gr.Column(elem_id="projects-overview", elem_classes="teach-card"):
        overview = gr.HTML("", elem_id="projects-list")
        with gr.Row():
            choice = gr.Dropdown([], label="Project", elem_id="projects-choice")
            refresh = gr.Button("Refresh", size="sm", min_width=110, elem_id="projects-refresh")
    about = _about(studio.identity.named)
    with gr.Column(visible=False, elem_id="projects-chosen") as chosen:
        with gr.Column(elem_classes="teach-card"):
            gr.HTML("<h3>Progress</h3>")
            progress = gr.HTML("", elem_id="projects-progress")
        importing = _importing(settings)
        gold = _gold()
        training_card(studio, gate, password, choice)
    return ProjectsBlocks(password, overview, choice, refresh, about, chosen, importing, gold, progress)


def _about(named: bool) -> Description:
    with gr.Column(elem_id="projects-about", elem_classes="teach-card"):
        gr.HTML("<h3>Description</h3>")
        with gr.Row():
            name = gr.Textbox(label="Name", max_length=MAX_NAME, elem_id="projects-name")
            wanted = gr.Number(
                2, label="Judgements wanted of each item", precision=0, minimum=1, maximum=MAX_WANTED,
                elem_id="projects-wanted",
            )  # fmt: skip
        everyone = gr.Checkbox(True, label="Open to all", visible=named, elem_id="projects-everyone")
        people = gr.Textbox(
            label="Else assigned to",
            placeholder="Names of accounts",
            visible=named,
            elem_id="projects-people",
        )
        guidelines = gr.Textbox(
            label="Guidelines", lines=4, max_length=MAX_GUIDELINES, elem_id="projects-guidelines"
        )
        with gr.Row():
            save = gr.Button("Make", variant="primary", min_width=110, elem_id="projects-save")
            close = gr.Button("Close", visible=False, min_width=110, elem_id="projects-close")
        saved = gr.HTML("", elem_id="projects-saved")
    return Description(name, wanted, everyone, people, guidelines, save, close, saved)


def _importing(settings: Settings) -> ImportForm:
    with gr.Column(elem_id="projects-import", elem_classes="teach-card"):
        gr.HTML(
            "<h3>Import</h3><p class='hint'>Clips, asked one question; or clips with a table, of the columns "
            f"path, question and task, and {GOLD} where something is known. At most "
            f"{settings.max_upload_mb} MB at once; <code>python -m ui import</code> takes whole folders.</p>"
        )
        files = uploads_only(
            gr.File(
                label="Clips and table",
                file_count="multiple",
                file_types=["audio", "video", *TABLES],
                height=140,
                elem_id="projects-files",
            )
        )
        with gr.Row():
            task = gr.Dropdown(
                [(task.label, name) for name, task in TASKS.items()], value="qa", label="Task",
                elem_id="projects-task",
            )  # fmt: skip
            question = gr.Textbox(
                label="Question", placeholder="Empty: the task's own", max_length=MAX_QUESTION,
                elem_id="projects-question",
            )  # fmt: skip
        with gr.Row():
            start = gr.Button("Import", variant="primary", min_width=110, elem_id="projects-start")
            stop = gr.Button("Stop", min_width=90, interactive=False, elem_id="projects-stop")
            retry = gr.Button("Go on", min_width=90, visible=False, elem_id="projects-retry")
            discard = gr.Button("Discard the rest", min_width=110, visible=False, elem_id="projects-discard")
        status = gr.HTML("", elem_id="projects-added")
        state = gr.HTML("", elem_id="projects-importing")
        looking = gr.Timer(LOOK_SECONDS, active=False)
    return ImportForm(files, task, question, start, stop, retry, discard, status, state, looking)


def _gold() -> GoldForm:
    with gr.Column(elem_id="projects-gold", elem_classes="teach-card"):
        gr.HTML("<h3>Items and gold</h3>")
        words = gr.Textbox(
            label="Search", placeholder="words of name, question or answer", max_length=200,
            elem_id="projects-words",
        )  # fmt: skip
        listed = gr.HTML("", elem_id="projects-items")
        item = gr.Dropdown([], label="Item", elem_id="projects-item")
        with gr.Row():
            thumb = gr.Radio(
                [("Good", 1), ("Bad", -1)],
                label="Known to be",
                elem_id="projects-thumb",
                elem_classes="chips",
            )
            score = gr.Radio(
                [(str(n), n) for n in range(1, 6)], label="Known score", elem_id="projects-score",
                elem_classes=["chips", "digits"],
            )  # fmt: skip
        text = gr.Textbox(label="Preferred answer", max_length=MAX_CORRECTION, elem_id="projects-text")
        with gr.Row():
            mark = gr.Button("Mark as gold", min_width=150, elem_id="projects-mark")
            unmark = gr.Button("Not gold", min_width=120, elem_id="projects-unmark")
        marked = gr.HTML("", elem_id="projects-marked")
    return GoldForm(words, listed, item, thumb, score, text, mark, unmark, marked)
