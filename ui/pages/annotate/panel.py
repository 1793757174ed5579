"""The layout of the Annotate page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from storage.annotation.leases import RENEW_SECONDS
from ui.access.identity import whose_id
from ui.components.rating import RatingFields, rating_fields
from ui.pages.annotate import render
from ui.settings import Settings

ORDERS = (
    ("Undecided router first", "entropy"),
    ("Disputed first", "disagreement"),
    ("By chance", "chance"),
    ("Newest first", "newest"),
)
AGAIN = " Some answers come twice, to measure how consistent your judgements are."


@dataclass(frozen=True)
class AnnotatePanel:
    project: gr.Dropdown
    guidelines: gr.HTML
    order: gr.Radio
    audio_only: gr.Checkbox
    progress: gr.HTML
    item: gr.HTML
    judge: gr.Column
    rating: RatingFields
    submit: gr.Button
    skip: gr.Button
    draft: gr.Button
    undo: gr.Button
    status: gr.HTML
    leased: gr.Button
    renewing: gr.Timer


def annotate_panel(settings: Settings) -> AnnotatePanel:
    """Called inside the page's context."""
    gr.Navbar(main_page_name="Studio")
    with gr.Row(elem_id="queue-head"):
        gr.HTML(
            "<h2>Annotate</h2><p class='hint'>Listen, rate, move on: every action has a key. Ratings are "
            f"stored under {whose_id(settings)}."
            f"{AGAIN if settings.repeat_share else ''}</p>"
        )
        progress = gr.HTML("", elem_id="queue-progress")
    with gr.Row(elem_id="queue-choice"):
        project = gr.Dropdown(
            [], label="Project", visible=False, filterable=False, elem_id="queue-project", min_width=170
        )
        order = gr.Radio(
            list(ORDERS), value="entropy", label="Order", elem_id="queue-order", elem_classes="chips"
        )
        audio_only = gr.Checkbox(True, label="Only with audio", elem_id="audio-only", scale=0, min_width=170)
    guidelines = gr.HTML("", visible=False, elem_id="queue-guidelines")
    with gr.Row(elem_id="queue-work"):
        with gr.Column(scale=7, min_width=320, elem_id="queue-left"):
            item = gr.HTML(
                "", js_on_load=Path(__file__).with_name("keys.js").read_text(), elem_id="queue-item"
            )
            leased = gr.Button(
                "Judge them as well", visible=False, scale=0, min_width=200, elem_id="judge-leased"
            )
            status = gr.HTML("", elem_id="queue-status")
            gr.HTML(render.keys())
        with gr.Column(scale=5, min_width=320, elem_id="judge", visible=False) as judge:
            rating = rating_fields(settings.dimensions, open=True)
            with gr.Row(elem_id="queue-actions"):
                submit = gr.Button("Submit", variant="primary", min_width=100, elem_id="submit")
                skip = gr.Button("Skip", min_width=60, elem_id="skip")
                draft = gr.Button("Draft", min_width=60, elem_id="draft")
                undo = gr.Button("Undo", min_width=60, elem_id="undo")
    return AnnotatePanel(
        project, guidelines, order, audio_only, progress, item, judge, rating, submit, skip, draft, undo,
        status, leased, gr.Timer(RENEW_SECONDS),
    )  # fmt: skip
