"""The layout of the Teach page, and what is connected to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ui.pages.teach.handlers import Blocks, TeachHandlers
from ui.pages.teach.render import HINT

if TYPE_CHECKING:
    from ui.access.admin import AdminGate
    from ui.studio.service import Studio

LOOK_SECONDS = 2.0
"""Between two looks at a run."""


def teach_page(demo: gr.Blocks, studio: Studio, gate: AdminGate) -> None:
    """Lay the page out and connect it. Called inside its route's context."""
    blocks = _layout(gate)
    on = TeachHandlers(studio, gate, blocks)
    run = [blocks.run, blocks.looking, blocks.start, blocks.stop]
    blind = [blocks.blind, blocks.watching, blocks.blind_start, blocks.blind_end]
    history = [blocks.history, blocks.choice, blocks.card, *blind, blocks.roll_back]
    fast: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    once: dict[str, Any] = {**fast, "trigger_mode": "once", "concurrency_limit": 1}
    for event in (demo.load, blocks.password.submit):
        event(on.teach_opened, blocks.password, [*run, *history], **fast)
    blocks.looking.tick(on.teach_looked, blocks.password, [*run, *history], **fast)
    blocks.count.click(on.teach_counted, blocks.password, blocks.counted, **once)
    blocks.start.click(on.teach_started, blocks.password, run, **once)
    blocks.stop.click(on.teach_stopped, blocks.password, run, **fast)
    chosen = [blocks.password, blocks.choice]
    blocks.choice.input(on.teach_chosen, chosen, [blocks.card, *blind], **fast)
    blocks.blind_start.click(on.blind_started, chosen, blind, **once)
    blocks.blind_end.click(on.blind_ended, chosen, blind, **once)
    blocks.watching.tick(on.blind_watched, chosen, blind, **fast)
    shown = [blocks.changed, *history]
    blocks.promote.click(on.promoted, [blocks.password, blocks.choice, blocks.anyway], shown, **once)
    blocks.roll_back.click(on.rolled_back, blocks.password, shown, **once)


def _layout(gate: AdminGate) -> Blocks:
    gr.Navbar(main_page_name="Studio")
    gr.HTML("<h2>Teach</h2>" + HINT)
    password = gate.password_box("teach-password")
    with gr.Column(elem_id="teach-count", elem_classes="teach-card"):
        gr.HTML("<h3>What there is to learn from</h3>")
        count = gr.Button("Count", size="sm", min_width=110, elem_id="count")
        counted = gr.HTML("", elem_id="counted")
    with gr.Column(elem_id="teach-run", elem_classes="teach-card"):
        gr.HTML("<h3>Tuning</h3>")
        with gr.Row():
            start = gr.Button("Start", variant="primary", min_width=110, elem_id="teach-start")
            stop = gr.Button("Stop", interactive=False, min_width=110, elem_id="teach-stop")
        run = gr.HTML("", elem_id="teach-progress")
    with gr.Column(elem_id="teach-checkpoints", elem_classes="teach-card"):
        gr.HTML("<h3>Checkpoints</h3>")
        history = gr.HTML("", elem_id="teach-history")
        card = gr.HTML("", elem_id="teach-result")
        with gr.Row():
            choice = gr.Dropdown([], label="Checkpoint", elem_id="teach-choice")
            anyway = gr.Checkbox(label="Even if it was refused", elem_id="teach-anyway")
        blind = gr.HTML("", elem_id="teach-blind")
        with gr.Row():
            blind_start = gr.Button("Try it blind", interactive=False, min_width=150, elem_id="blind-start")
            blind_end = gr.Button("End the trial", interactive=False, min_width=150, elem_id="blind-end")
        with gr.Row():
            promote = gr.Button("Promote", min_width=110, elem_id="promote")
            roll_back = gr.Button("Roll back", interactive=False, min_width=110, elem_id="roll-back")
        changed = gr.HTML("", elem_id="teach-changed")
    looking, watching = (gr.Timer(LOOK_SECONDS, active=False) for _ in range(2))
    return Blocks(
        password,
        count,
        counted,
        start,
        stop,
        run,
        looking,
        history,
        choice,
        card,
        blind_start,
        blind_end,
        blind,
        watching,
        anyway,
        promote,
        roll_back,
        changed,
    )
