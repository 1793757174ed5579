"""Answers of this session, newest first, to open again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.components.visit import visit_note
from ui.studio.session import Session
from ui.studio.visit import note_of

Updates = dict[Any, Any]


@dataclass(frozen=True)
class HistoryPanel:
    """visit: keeps the answers in the browser for a reload."""

    box: gr.Column
    list: gr.Radio
    visit: gr.HTML


def history_panel() -> HistoryPanel:
    with gr.Column(visible=False, elem_id="history") as box:
        entries = gr.Radio([], label="Answers of this session", elem_classes="entries", elem_id="entries")
    return HistoryPanel(box, entries, visit_note())


def history_shown(panel: HistoryPanel, session: Session) -> Updates:
    choices = [(entry.label(session.zone), entry.key) for entry in reversed(session.entries)]
    return {
        panel.box: gr.update(visible=len(choices) > 1),
        panel.list: gr.Radio(choices=choices, value=session.shown),
        panel.visit: note_of(session),
    }
