"""What both kinds of the Projects page's handlers have: its parts, and that they are for admins alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import StorageError
from storage.annotation.projects import Projects
from ui.components import messages
from ui.pages.projects.blocks import ProjectsBlocks
from ui.studio.projects.team import Team
from usam.errors import RequestError

if TYPE_CHECKING:
    from ui.access.admin import AdminGate
    from ui.studio.service import Studio

Updates = dict[Any, Any]
Profile = gr.OAuthProfile


class AdminHandlers:
    def __init__(self, studio: Studio, gate: AdminGate, blocks: ProjectsBlocks, refusals: gr.HTML) -> None:
        """refusals: where it is shown why a step was not done, unless that names another place."""
        self.studio = studio
        self.gate = gate
        self.blocks = blocks
        self.refusals = refusals
        self.projects = Projects(studio.feedback.database)
        self.team = Team(studio.settings, studio.identity)

    def for_admins(
        self,
        typed: str,
        request: gr.Request,
        profile: Profile | None,
        step: Callable[[], Updates],
        refusals: gr.HTML | None = None,
    ) -> Updates:
        """What the step shows, or why not."""
        try:
            self.gate.require(typed, request, profile)
            return step()
        except (RequestError, StorageError) as refusal:
            return {refusals or self.refusals: messages.refusal_html(refusal)}
