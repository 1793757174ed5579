"""The Dashboard page: shown at once as it was drawn last, then drawn anew, whenever it is opened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from ui.components import messages
from ui.components.export_card import training_card
from ui.components.messages import refusal_html
from usam.errors import RequestError

if TYPE_CHECKING:
    from ui.access.admin import AdminGate
    from ui.studio.service import Studio


@dataclass(frozen=True)
class Drawn:
    """The cards as HTML, and when they were drawn (s, monotonic)."""

    html: str
    at: float

    def aged(self) -> str:
        """The cards below a line that says how old they are."""
        seconds = round(time.monotonic() - self.at)
        age = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
        return messages.status(f"As of {age} ago; updating.") + self.html


class DashboardCache:
    """Draws what is in the database, and keeps the last drawing. Safe to share between threads."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.last: Drawn | None = None

    def drawings(self) -> Iterator[str]:
        """The last drawing with its age, at once if there is one; then a new one."""
        if last := self.last:
            yield last.aged()
        from ui.pages.dashboard.cards import dashboard  # brings in matplotlib, which the app starts without

        began, studio = time.monotonic(), self.studio
        new = Drawn(dashboard(studio.feedback, studio.settings.dimensions, studio.promotion.names()), began)
        self.last = new
        yield new.html


def dashboard_page(demo: gr.Blocks, studio: Studio, gate: AdminGate) -> None:
    """Lay the page out and connect it. Called inside its route's context."""
    gr.Navbar(main_page_name="Studio")
    with gr.Row(elem_id="board-head"):
        gr.HTML(
            "<h2>Dashboard</h2><p class='hint'>Ratings and comparisons, and how they relate to the model.</p>"
        )
        refresh = gr.Button("Refresh", size="sm", min_width=100, scale=0, elem_id="refresh")
    password = gate.password_box("board-password")
    shown = gr.HTML("", elem_id="board")
    training_card(studio, gate, password)
    cache = DashboardCache(studio)

    def drawn(typed: str, request: gr.Request, profile: gr.OAuthProfile | None = None) -> Iterator[str]:
        try:
            gate.require(typed, request, profile)
        except RequestError as refusal:
            yield refusal_html(refusal)
        else:
            yield from cache.drawings()

    for event in (demo.load, refresh.click, password.submit):
        event(drawn, password, shown, show_progress="hidden", api_visibility="private")
