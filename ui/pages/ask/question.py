"""The question panel: task, question, sampling, Ask and Stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.pages.ask import render
from ui.studio.session import Session
from usam.schema.tasks import MAX_QUESTION, TASKS

Updates = dict[Any, Any]


@dataclass(frozen=True)
class QuestionPanel:
    task: gr.Radio
    text: gr.Textbox
    context: gr.Row
    context_line: gr.HTML
    fresh: gr.Button
    ask: gr.Button
    stop: gr.Button
    seed: gr.Number
    temperature: gr.Slider


def question_panel() -> QuestionPanel:
    task = gr.Radio(
        [(task.label, name) for name, task in TASKS.items()],
        value="qa",
        label="Task",
        elem_id="task",
        elem_classes="chips",
    )
    with gr.Row(visible=False, elem_id="context") as context:
        context_line = gr.HTML("")
        fresh = gr.Button("Start fresh", size="sm", min_width=90, scale=0)
    with gr.Row(elem_id="go"):
        text = gr.Textbox(
            label="Question",
            placeholder=TASKS["qa"].prompt,
            lines=1,
            max_lines=4,
            max_length=MAX_QUESTION,
            elem_id="question",
        )
        ask = gr.Button("Ask", variant="primary", elem_id="ask", min_width=110, scale=0)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", min_width=110, scale=0, visible=False)
    with gr.Accordion("Sampling", open=False, elem_id="sampling"), gr.Row():
        temperature = gr.Slider(
            0, 1.5, 0, step=0.1, label="Temperature", info="0 takes the likeliest: the seed has no effect."
        )
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1)
    return QuestionPanel(task, text, context, context_line, fresh, ask, stop, seed, temperature)


def placeholder(task: str) -> gr.Textbox:
    """What is asked when the box stays empty."""
    return gr.Textbox(placeholder=TASKS[task].prompt)


def context_shown(panel: QuestionPanel, session: Session) -> Updates:
    tied = session.context_of is not None
    return {
        panel.context: gr.Row(visible=tied),
        panel.context_line: render.context(len(session.context)) if tied else "",
    }


def busy(panel: QuestionPanel, running: bool) -> Updates:
    """Ask makes way for Stop while an answer is being written."""
    return {
        panel.ask: gr.Button(visible=not running),
        panel.stop: gr.Button("Stop", visible=running, interactive=True),
    }
