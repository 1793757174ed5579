"""The answer panel: what was heard, the conversation as it is written, its meters, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.pages.ask import render
from ui.studio.session import SessionAnswer

Updates = dict[Any, Any]


@dataclass(frozen=True)
class AnswerPanel:
    """stale: says that the answer is about another clip than the one in the player."""

    stale: gr.HTML
    heard: gr.HTML
    notice: gr.HTML
    thread: gr.HTML
    meters: gr.HTML
    actions: gr.Row
    follow_up: gr.Button
    edit: gr.Button
    retry: gr.Button


def answer_panel() -> AnswerPanel:
    stale = gr.HTML("", elem_id="stale")
    heard = gr.HTML("", elem_id="heard")
    notice = gr.HTML("", elem_id="notice")
    thread = gr.HTML(render.EMPTY_ANSWER, elem_id="thread")
    meters = gr.HTML("", elem_id="meters")
    with gr.Row(visible=False, elem_id="actions") as actions:
        follow_up = gr.Button("Follow up", size="sm", min_width=100, elem_id="follow-up")
        edit = gr.Button("Edit question", size="sm", min_width=100, elem_id="edit")
        retry = gr.Button("Retry, new seed", size="sm", min_width=100, elem_id="retry")
    return AnswerPanel(stale, heard, notice, thread, meters, actions, follow_up, edit, retry)


def answer_shown(panel: AnswerPanel, entry: SessionAnswer | None) -> Updates:
    """A finished answer, or the empty panel."""
    if entry is None:
        return {
            panel.stale: "",
            panel.heard: "",
            panel.thread: render.EMPTY_ANSWER,
            panel.meters: "",
            panel.actions: gr.update(visible=False),
        }
    answer = entry.answer
    return {
        panel.heard: render.heard(answer.heard),
        panel.thread: render.thread(answer.history, answer.question, answer.text, note=answer.cut_short),
        panel.meters: render.meters(answer),
        panel.actions: gr.update(visible=True),
        panel.retry: gr.Button(interactive=entry.audio is not None),
    }
