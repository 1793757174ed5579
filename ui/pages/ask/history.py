"""Answers of this session, newest first, to open again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.studio.session import Session, SessionAnswer
from usam.schema.tasks import TASKS

Updates = dict[Any, Any]
_SHORT = 56


@dataclass(frozen=True)
class HistoryPanel:
    box: gr.Column
    list: gr.Radio


def history_panel() -> HistoryPanel:
    with gr.Column(visible=False, elem_id="history") as box:
        entries = gr.Radio([], label="Answers of this session", elem_classes="entries", elem_id="entries")
    return HistoryPanel(box, entries)


def label_of(entry: SessionAnswer) -> str:
    text = " ".join(entry.answer.text.split()) or "(no words)"
    short = text if len(text) <= _SHORT else text[: _SHORT - 1].rstrip() + "…"
    return f"{TASKS[entry.answer.task].label}: {short}"


def history_shown(panel: HistoryPanel, session: Session) -> Updates:
    choices = [(label_of(entry), entry.key) for entry in reversed(session.entries)]
    return {
        panel.box: gr.Column(visible=len(choices) > 1),
        panel.list: gr.Radio(choices=choices, value=session.shown),
    }
