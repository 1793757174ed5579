"""What the Projects page does with imports; each for admins alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from storage.annotation.imports import Added
from storage.annotation.projects import Projects
from ui.pages.projects import render
from ui.pages.projects.admin_handlers import AdminHandlers, Profile, Updates
from ui.pages.projects.blocks import ImportForm, ProjectsBlocks
from ui.studio.projects.sources import items_uploaded
from usam.errors import RequestError

if TYPE_CHECKING:
    from ui.access.admin import AdminGate
    from ui.studio.service import Studio


class ImportHandlers(AdminHandlers):
    def __init__(self, studio: Studio, gate: AdminGate, blocks: ProjectsBlocks) -> None:
        super().__init__(studio, gate, blocks, blocks.importing.status)

    def projects_imported(
        self,
        typed: str,
        name: str | None,
        files: Sequence[str] | None,
        task: str,
        question: str,
        request: gr.Request,
        profile: Profile | None = None,
    ) -> Updates:
        """Copy what was uploaded, and begin to ask about it."""

        def start() -> Updates:
            items = items_uploaded([Path(file) for file in files or ()], task, question or "")
            added = self.studio.importer.imports.add_uploads(self._chosen(name), items)
            self.studio.importer.start()
            return {**self._shown(name, added), self.blocks.importing.files: None}

        return self.for_admins(typed, request, profile, start)

    def projects_import_looked(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        """How far the import is, and what it added to the project."""

        def look() -> Updates:
            shown = self._shown(name)
            if name:
                shown[self.blocks.progress] = render.project_progress(self.projects, self.team, name)
            return shown

        looked = self.for_admins(typed, request, profile, look)
        return {self.blocks.importing.looking: gr.Timer(active=False), **looked}

    def projects_import_stopped(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        def stop() -> Updates:
            self.studio.importer.stop()
            return self._shown(name)

        return self.for_admins(typed, request, profile, stop)

    def projects_import_retried(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        """Go on with what waits, and ask again about what failed."""

        def retry() -> Updates:
            self.studio.importer.imports.retry(self._chosen(name))
            self.studio.importer.start()
            return self._shown(name)

        return self.for_admins(typed, request, profile, retry)

    def projects_import_discarded(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        def discard() -> Updates:
            self.studio.importer.imports.discard(self._chosen(name))
            return self._shown(name)

        return self.for_admins(typed, request, profile, discard)

    def _shown(self, name: str | None, added: Added | None = None) -> Updates:
        shown = import_shown(self.studio, self.blocks.importing, self.projects, self._chosen(name))
        return {**shown, self.blocks.importing.status: render.added(added)} if added else shown

    def _chosen(self, name: str | None) -> str:
        if not name:
            raise RequestError("Choose a project first.")
        return name


def import_shown(studio: Studio, form: ImportForm, projects: Projects, name: str) -> Updates:
    """How far the import is, and what can be done about it."""
    state, now = studio.importer.current(), projects.progress(name)
    failures = studio.importer.imports.failures(name)
    idle = not (state.running or state.elsewhere)
    return {
        form.state: render.importing(state, now, failures),
        form.looking: gr.Timer(active=not idle or state.due),
        form.stop: gr.Button(interactive=state.running or state.due),
        form.retry: gr.Button(visible=idle and bool(now.waiting or now.failed)),
        form.discard: gr.Button(visible=idle and bool(now.waiting or now.failed)),
        form.status: "",
    }
