"""What the Projects page does with projects and their gold items; each for admins alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from storage.annotation.gold import Gold
from storage.annotation.projects import LISTED, Project
from ui.components import messages
from ui.pages.projects import render
from ui.pages.projects.admin_handlers import AdminHandlers, Profile, Updates
from ui.pages.projects.blocks import ProjectsBlocks
from ui.pages.projects.import_handlers import import_shown
from usam.errors import RequestError

if TYPE_CHECKING:
    from ui.access.admin import AdminGate
    from ui.studio.service import Studio

NEW = ""
NEW_LABEL = "New project"


class ProjectsHandlers(AdminHandlers):
    def __init__(self, studio: Studio, gate: AdminGate, blocks: ProjectsBlocks) -> None:
        super().__init__(studio, gate, blocks, blocks.about.saved)

    def projects_opened(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        return self.for_admins(
            typed, request, profile, lambda: self._shown(name or NEW), self.blocks.overview
        )

    def projects_chosen(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        return self.for_admins(typed, request, profile, lambda: self._shown(name or NEW))

    def projects_saved(
        self,
        typed: str,
        chosen: str | None,
        name: str,
        wanted: float | None,
        everyone: bool,
        people: str,
        guidelines: str,
        request: gr.Request,
        profile: Profile | None = None,
    ) -> Updates:
        """Make a project, or change the one that was chosen."""

        def save() -> Updates:
            members = None if everyone else self._members(chosen, people or "")
            count = int(wanted) if wanted and float(wanted).is_integer() else 0
            if chosen:
                project, word = self.projects.change(chosen, guidelines or "", count, members), "Saved"
            else:
                project, word = self.projects.make(name or "", guidelines or "", count, members), "Made"
            return {**self._shown(project.name), self.blocks.about.saved: messages.saved(word)}

        return self.for_admins(typed, request, profile, save)

    def _members(self, chosen: str | None, people: str) -> dict[str, str]:
        """The accounts that are named, and whoever the command line assigned the project to by an id."""
        earlier = (self.projects.members(chosen) if chosen else None) or {}
        unnamed: dict[str, str] = {id_: name for id_, name in earlier.items() if not name}
        return unnamed if unnamed and not people.strip() else {**unnamed, **self.team.members(people)}

    def projects_closed(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        """Close it, or open it again."""

        def close() -> Updates:
            closed = not self.projects.get(name or "").closed
            self.projects.close(name or "", closed)
            word = "Closed: its items are offered to nobody" if closed else "Open again"
            return {**self._shown(name or ""), self.blocks.about.saved: messages.saved(word)}

        return self.for_admins(typed, request, profile, close)

    def projects_searched(
        self, typed: str, name: str | None, words: str, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        marked = self.blocks.gold.marked

        def search() -> Updates:
            return {**self._items(name or "", words), marked: ""}

        return self.for_admins(typed, request, profile, search, marked)

    def projects_marked(
        self,
        typed: str,
        name: str | None,
        words: str,
        item: str | None,
        thumb: int | None,
        score: int | None,
        text: str,
        request: gr.Request,
        profile: Profile | None = None,
    ) -> Updates:
        """Say what is known to be right about the item that was chosen."""

        def mark() -> Updates:
            return self._gold_set(name or "", words, item, Gold.of(thumb, score, text))

        return self.for_admins(typed, request, profile, mark, self.blocks.gold.marked)

    def projects_unmarked(
        self,
        typed: str,
        name: str | None,
        words: str,
        item: str | None,
        request: gr.Request,
        profile: Profile | None = None,
    ) -> Updates:
        return self.for_admins(
            typed,
            request,
            profile,
            lambda: self._gold_set(name or "", words, item, None),
            self.blocks.gold.marked,
        )

    def _gold_set(self, name: str, words: str, item: str | None, gold: Gold | None) -> Updates:
        if not item:
            raise RequestError("Choose an item first.")
        self.projects.set_gold(name, item, gold)
        form = self.blocks.gold
        return {
            **self._items(name, words, chosen=item),
            form.marked: render.marked(gold),
            form.thumb: None,
            form.score: None,
            form.text: "",
            self.blocks.progress: self._progress(name),
            self.blocks.overview: self._overview(),
        }

    def _shown(self, name: str) -> Updates:
        """The page with this project, or with an empty description for a new one."""
        found = {project.name: project for project in self.projects.all()}
        project = found.get(name)
        choices = [(NEW_LABEL, NEW), *((known, known) for known in found)]
        return {
            self.blocks.overview: self._overview(),
            self.blocks.choice: gr.Dropdown(choices, value=project.name if project else NEW),
            **self._described(project),
            self.blocks.chosen: gr.update(visible=project is not None),
            **(self._details(project) if project else {}),
        }

    def _described(self, project: Project | None) -> Updates:
        about = self.blocks.about
        if project is None:
            return {
                about.name: gr.Textbox("", interactive=True),
                about.wanted: 2,
                about.everyone: True,
                about.people: "",
                about.guidelines: "",
                about.save: gr.Button("Make"),
                about.close: gr.Button(visible=False),
                about.saved: "",
            }
        return {
            about.name: gr.Textbox(project.name, interactive=False),
            about.wanted: project.wanted,
            about.everyone: project.open_to_all,
            about.people: ", ".join(name for name in project.members if name),
            about.guidelines: project.guidelines,
            about.save: gr.Button("Save"),
            about.close: gr.Button("Open again" if project.closed else "Close", visible=True),
            about.saved: render.link(project),
        }

    def _details(self, project: Project) -> Updates:
        return {
            **import_shown(self.studio, self.blocks.importing, self.projects, project.name),
            **self._items(project.name, ""),
            self.blocks.gold.marked: "",
            self.blocks.progress: self._progress(project.name),
        }

    def _overview(self) -> str:
        return render.overview([(one, self.projects.progress(one.name)) for one in self.projects.all()])

    def _progress(self, name: str) -> str:
        return render.project_progress(self.projects, self.team, name)

    def _items(self, name: str, words: str, chosen: str | None = None) -> Updates:
        found = self.projects.items(name, words or "", limit=LISTED + 1)
        shown, form = found[:LISTED], self.blocks.gold
        choices = [(render.item_label(one), one.answer_id) for one in shown]
        kept = chosen if chosen in [one.answer_id for one in shown] else None
        return {
            form.listed: render.items(shown, len(found) > LISTED),
            form.item: gr.Dropdown(choices, value=kept),
        }
