"""The Dashboard page: drawn anew whenever it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from ui.dashboard.door import Door
from ui.dashboard.training import training_card

if TYPE_CHECKING:
    from ui.studio import Studio


def dashboard_page(demo: gr.Blocks, studio: Studio, door: Door) -> None:
    """Lay the page out and connect it. Called inside its route's context."""
    gr.Navbar(main_page_name="Studio")
    with gr.Row(elem_id="board-head"):
        gr.HTML("<h2>Dashboard</h2><p class='hint'>What people said, and what the model did meanwhile.</p>")
        refresh = gr.Button("Refresh", size="sm", min_width=100, scale=0, elem_id="refresh")
    password = gr.Textbox(
        label="Password", type="password", visible=bool(door.password), elem_id="board-password"
    )
    board = gr.HTML("", elem_id="board")
    training_card(studio, door, password)

    def drawn(typed: str, request: gr.Request) -> str:
        def draw() -> str:
            from ui.dashboard.board import dashboard  # brings in matplotlib, which the app starts without

            return dashboard(studio.feedback)

        return door.shown(typed, request, draw)

    for event in (demo.load, refresh.click, password.submit):
        event(drawn, password, board, show_progress="hidden", api_visibility="private")
