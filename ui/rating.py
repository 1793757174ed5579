"""The rating panel: thumbs, score, correction and comment on the answer on display."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from storage import Feedback, StorageError
from ui import render
from ui.visit import Entry

Updates = dict[Any, Any]

LONGEST_TEXT = 4000


@dataclass(frozen=True)
class RatingPanel:
    empty: gr.HTML
    form: gr.Column
    thumb: gr.Radio
    score: gr.Radio
    correction: gr.Textbox
    comment: gr.Textbox
    save: gr.Button
    withdraw: gr.Button
    status: gr.HTML

    @property
    def fields(self) -> list[gr.components.Component]:
        return [self.thumb, self.score, self.correction, self.comment]


def rating_panel() -> RatingPanel:
    gr.HTML("<h2>Rate this answer</h2>")
    empty = gr.HTML(render.EMPTY_RATING)
    with gr.Column(visible=False, elem_id="rating-form") as form:
        thumb = gr.Radio([("Good", 1), ("Bad", -1)], label="Overall", elem_id="thumb", elem_classes="chips")
        score = gr.Radio(
            [(str(n), n) for n in range(1, 6)],
            label="Score",
            info="1 wrong · 3 partly right · 5 right",
            elem_id="score",
            elem_classes=["chips", "digits"],
        )
        correction = gr.Textbox(
            label="Correction",
            placeholder="What the answer should have been (optional)",
            lines=2,
            max_length=LONGEST_TEXT,
            elem_id="correction",
        )
        comment = gr.Textbox(
            label="Comment", placeholder="Optional", lines=2, max_length=LONGEST_TEXT, elem_id="comment"
        )
        with gr.Row():
            save = gr.Button("Save rating", variant="primary", min_width=110, elem_id="save")
            withdraw = gr.Button("Withdraw", min_width=90, visible=False, elem_id="withdraw")
    status = gr.HTML("", elem_id="rating-status")
    return RatingPanel(empty, form, thumb, score, correction, comment, save, withdraw, status)


def rating_hidden(panel: RatingPanel) -> Updates:
    """No answer to rate, or one still being written."""
    return {panel.empty: gr.HTML(visible=True), panel.form: gr.Column(visible=False), panel.status: ""}


def rating_shown(panel: RatingPanel, feedback: Feedback, entry: Entry | None, annotator: str) -> Updates:
    """The form, filled with what this person said about the answer before."""
    if entry is None:
        return rating_hidden(panel)
    if entry.answer_id is None:
        sentence = f"This answer could not be stored, so it cannot be rated. {entry.storage_error or ''}"
        return {
            **rating_hidden(panel),
            panel.empty: gr.HTML(visible=False),
            panel.status: render.fault(sentence),
        }
    try:
        earlier = feedback.rating(entry.answer_id, annotator)
    except StorageError as error:
        return {
            **rating_hidden(panel),
            panel.empty: gr.HTML(visible=False),
            panel.status: render.fault(str(error)),
        }
    return {
        panel.empty: gr.HTML(visible=False),
        panel.form: gr.Column(visible=True),
        panel.thumb: earlier.thumb if earlier else None,
        panel.score: earlier.score if earlier else None,
        panel.correction: (earlier.correction if earlier else None) or "",
        panel.comment: (earlier.comment if earlier else None) or "",
        **_saved_before(panel, earlier is not None),
        panel.status: render.status("Saved earlier. You can change or withdraw it.") if earlier else "",
    }


def _saved_before(panel: RatingPanel, saved: bool) -> Updates:
    return {
        panel.save: gr.Button("Save changes" if saved else "Save rating"),
        panel.withdraw: gr.Button(visible=saved),
    }


def save_rating(
    panel: RatingPanel, feedback: Feedback, entry: Entry | None, annotator: str, rating: Mapping[str, Any]
) -> Updates:
    """Commit the rating, then say so. On failure only the status changes: what was typed stays."""
    if entry is None or entry.answer_id is None:
        return {panel.status: render.fault("There is no stored answer to rate. Ask again first.")}
    try:
        feedback.rate(entry.answer_id, annotator, **rating)
    except StorageError as error:
        return {panel.status: render.fault(str(error))}
    return {panel.status: render.saved("Saved"), **_saved_before(panel, True)}


def withdraw_rating(panel: RatingPanel, feedback: Feedback, entry: Entry | None, annotator: str) -> Updates:
    if entry is None or entry.answer_id is None:
        return {panel.status: render.fault("There is no rating to withdraw.")}
    try:
        feedback.withdraw(entry.answer_id, annotator)
    except StorageError as error:
        return {panel.status: render.fault(str(error))}
    return {
        panel.thumb: None,
        panel.score: None,
        panel.correction: "",
        panel.comment: "",
        panel.status: render.saved("Withdrawn"),
        **_saved_before(panel, False),
    }
