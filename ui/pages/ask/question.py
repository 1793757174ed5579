"""The question panel: task, question, sampling, Ask and Stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.components.chips import chip_row
from ui.pages.ask import render
from ui.studio.session import Session
from usam.schema.tasks import MAX_QUESTION, TASKS

Updates = dict[Any, Any]


@dataclass(frozen=True)
class Suggestion:
    """A question that the model answers better than most, and its task; without a text the task's own."""

    label: str
    task: str
    text: str = ""


SUGGESTIONS: dict[str, tuple[Suggestion, ...]] = {
    "Speech": (
        Suggestion("What is said?", "asr"),
        Suggestion("A man, a woman or a child?", "qa", "Is the speaker a man, a woman or a child?"),
    ),
    "Sound": (
        Suggestion("Describe it", "aac"),
        Suggestion("What makes it?", "qa", "What makes this sound?"),
    ),
    "Music": (
        Suggestion("Describe it", "mc"),
        Suggestion("Which instrument?", "qa", "Which instrument is playing?"),
    ),
    "Several": (
        Suggestion("What comes first?", "qa", "What comes first?"),
        Suggestion("What comes last?", "qa", "What comes last?"),
    ),
    "Any": (
        Suggestion("What do you hear?", "qa", "What do you hear?"),
        Suggestion("What kind is it?", "qa", "Is this speech, sound or music?"),
    ),
}
"""By what a clip holds; see the model card for what is left out."""


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
    suggestions: dict[str, gr.Dataset]


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
    with gr.Column(elem_id="suggestions"):
        suggestions = {
            kind: chip_row(kind, [one.label for one in offered]) for kind, offered in SUGGESTIONS.items()
        }
    with gr.Accordion("Sampling", open=False, elem_id="sampling"), gr.Row():
        temperature = gr.Slider(
            0, 1.5, 0, step=0.1, label="Temperature", info="0 takes the likeliest: the seed has no effect."
        )
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1)
    return QuestionPanel(task, text, context, context_line, fresh, ask, stop, seed, temperature, suggestions)


def suggested(panel: QuestionPanel, kind: str, index: int) -> Updates:
    """The question of a suggestion, to be asked at once. Raises gr.Error where there is none."""
    offered = SUGGESTIONS[kind]
    if not isinstance(index, int) or not 0 <= index < len(offered):
        raise gr.Error("There is no such suggestion.", print_exception=False)
    one = offered[index]
    return {panel.task: one.task, panel.text: gr.Textbox(one.text, placeholder=TASKS[one.task].prompt)}


def placeholder(task: str) -> gr.Textbox:
    """What is asked when the box stays empty."""
    return gr.Textbox(placeholder=TASKS[task].prompt)


def context_shown(panel: QuestionPanel, session: Session) -> Updates:
    tied = session.context_of is not None
    return {
        panel.context: gr.update(visible=tied),
        panel.context_line: render.context(len(session.context)) if tied else "",
    }


def busy(panel: QuestionPanel, running: bool) -> Updates:
    """Ask makes way for Stop while an answer is being written."""
    return {
        panel.ask: gr.Button(visible=not running),
        panel.stop: gr.Button("Stop", visible=running, interactive=True),
    }
