"""The rating panel: thumbs, scores, flags, correction and comment on the answer on display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.events import Dependency

from storage import Feedback, StorageError
from storage.ratings.results import Rating
from storage.ratings.validation import FLAGS, MAX_COMMENT, MAX_CORRECTION
from ui.components import messages
from ui.components.save_limit import save_limited
from ui.studio.session import Session, SessionAnswer
from ui.studio.visit import shown_answer

if TYPE_CHECKING:
    from ui.studio.service import Studio

Updates = dict[Any, Any]

LOW_SCORE, HIGH_SCORE = 2, 4
"""Up to, and from which, a score says the same as a thumb."""

EMPTY_RATING = '<div class="empty"><p>You can rate the answer once it is there.</p></div>'


@dataclass(frozen=True)
class RatingFields:
    """The fields of a rating, in one order: the thumb first, then a score for each dimension."""

    thumb: gr.Radio
    score: gr.Radio
    dimensions: dict[str, gr.Radio]
    flags: gr.CheckboxGroup
    correction: gr.Textbox
    comment: gr.Textbox

    @property
    def blocks(self) -> list[gr.components.Component]:
        return [
            self.thumb,
            self.score,
            self.flags,
            self.correction,
            self.comment,
            *self.dimensions.values(),
        ]

    def as_rating(self, values: Sequence[Any]) -> dict[str, Any]:
        """The values of `blocks` as `Feedback.rate` takes them."""
        thumb, score, flags, correction, comment, *scores = values
        return {
            "thumb": thumb,
            "score": score,
            "flags": flags,
            "correction": correction,
            "comment": comment,
            "dimensions": dict(zip(self.dimensions, scores, strict=True)),
        }

    def filled(self, rating: Rating | Mapping[str, Any] | None) -> Updates:
        """Every field as the rating, or the draft of one, has it; empty without one."""
        values = asdict(rating) if isinstance(rating, Rating) else dict(rating or {})
        dimensions = values.get("dimensions", {})
        return {
            self.thumb: values.get("thumb"),
            self.score: values.get("score"),
            self.flags: list(values.get("flags", ())),
            self.correction: values.get("correction") or "",
            self.comment: values.get("comment") or "",
            **{radio: dimensions.get(name) for name, radio in self.dimensions.items()},
        }


@dataclass(frozen=True)
class RatingPanel:
    empty: gr.HTML
    form: gr.Column
    rating: RatingFields
    save: gr.Button
    withdraw: gr.Button
    undo: gr.Button
    status: gr.HTML

    @property
    def fields(self) -> list[gr.components.Component]:
        return self.rating.blocks


def rating_fields(dimensions: Sequence[str], *, open: bool = False) -> RatingFields:
    """The fields of a rating. open: whether dimensions and flags show at once."""
    thumb = gr.Radio([("Good", 1), ("Bad", -1)], label="Overall", elem_id="thumb", elem_classes="chips")
    score = gr.Radio(
        _DIGITS,
        label="Score",
        info="1 wrong · 3 partly right · 5 right",
        elem_id="score",
        elem_classes=["chips", "digits"],
    )
    with gr.Accordion("In more detail", open=open, elem_id="depth"):
        scores = {
            name: gr.Radio(
                _DIGITS,
                label=_words(name),
                elem_id=f"dimension-{name}",
                elem_classes=["chips", "digits", "dimension"],
            )
            for name in dimensions
        }
        flags = gr.CheckboxGroup(
            [(_words(flag), flag) for flag in FLAGS],
            label="Something is wrong",
            elem_id="flags",
            elem_classes=["chips", "flags"],
        )
    correction = gr.Textbox(
        label="Correction",
        placeholder="What the answer should have been (optional)",
        lines=2,
        max_length=MAX_CORRECTION,
        elem_id="correction",
    )
    comment = gr.Textbox(
        label="Comment", placeholder="Optional", lines=2, max_length=MAX_COMMENT, elem_id="comment"
    )
    return RatingFields(thumb, score, scores, flags, correction, comment)


_DIGITS = [(str(n), n) for n in range(1, 6)]


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def rating_panel(dimensions: Sequence[str]) -> RatingPanel:
    gr.HTML("<h2>Rate this answer</h2>")
    empty = gr.HTML(EMPTY_RATING)
    with gr.Column(visible=False, elem_id="rating-form") as form:
        fields = rating_fields(dimensions)
        with gr.Row(elem_id="rating-actions"):
            save = gr.Button("Save rating", variant="primary", min_width=110, elem_id="save")
            undo = gr.Button("Undo", min_width=70, visible=False, elem_id="undo")
            withdraw = gr.Button("Withdraw", min_width=90, visible=False, elem_id="withdraw")
    status = gr.HTML("", elem_id="rating-status")
    return RatingPanel(empty, form, fields, save, withdraw, undo, status)


def rating_hidden(panel: RatingPanel) -> Updates:
    """No answer to rate, or one still being written."""
    return {panel.empty: gr.update(visible=True), panel.form: gr.update(visible=False), panel.status: ""}


def rating_shown(
    panel: RatingPanel, feedback: Feedback, entry: SessionAnswer | None, annotator: str
) -> Updates:
    """The form, filled with this person's earlier rating of the answer."""
    if entry is None:
        return rating_hidden(panel)
    if entry.answer_id is None:
        sentence = f"This answer could not be stored, so it cannot be rated. {entry.storage_error or ''}"
        return {
            **rating_hidden(panel),
            panel.empty: gr.update(visible=False),
            panel.status: messages.fault(sentence),
        }
    try:
        earlier = feedback.rating(entry.answer_id, annotator)
    except StorageError as error:
        return {
            **rating_hidden(panel),
            panel.empty: gr.update(visible=False),
            panel.status: messages.fault(str(error)),
        }
    return {
        panel.empty: gr.update(visible=False),
        panel.form: gr.update(visible=True),
        **panel.rating.filled(earlier),
        **_saved_before(panel, earlier is not None),
        panel.status: messages.status("Saved earlier. You can change or withdraw it.") if earlier else "",
    }


def _saved_before(panel: RatingPanel, saved: bool, *, undo: bool | None = None) -> Updates:
    """The buttons for a rating that is stored, or not; something can be undone when there is one, unless
    `undo` knows better."""
    return {
        panel.save: gr.Button("Save changes" if saved else "Save rating"),
        panel.withdraw: gr.Button(visible=saved),
        panel.undo: gr.Button(visible=saved if undo is None else undo),
    }


def contradiction(rating: Mapping[str, Any]) -> str:
    """What in a rating speaks against itself, as a sentence; empty for nothing."""
    thumb, score = rating.get("thumb"), rating.get("score")
    if thumb == -1 and (score or 0) >= HIGH_SCORE:
        return f"Bad, but score {score} of 5: these contradict each other."
    if thumb == 1 and score and score <= LOW_SCORE:
        return f"Good, but score {score} of 5: these contradict each other."
    return ""


def save_rating(
    panel: RatingPanel,
    feedback: Feedback,
    answer_id: str | None,
    annotator: str,
    rating: Mapping[str, Any],
) -> Updates:
    """Commit the rating, then say so. On failure only the status changes: what was typed stays."""
    if answer_id is None:
        return {panel.status: messages.fault("There is no stored answer to rate. Ask again first.")}
    try:
        feedback.rate(answer_id, annotator, **rating)
    except StorageError as error:
        return {panel.status: messages.fault(str(error))}
    doubt = contradiction(rating)
    line = messages.saved("Saved") + (
        messages.status(f"{doubt} Change one if that was not meant.") if doubt else ""
    )
    return {panel.status: line, **_saved_before(panel, True)}


def withdraw_rating(panel: RatingPanel, feedback: Feedback, answer_id: str | None, annotator: str) -> Updates:
    if answer_id is None:
        return {panel.status: messages.fault("There is no rating to withdraw.")}
    try:
        feedback.withdraw(answer_id, annotator)
    except StorageError as error:
        return {panel.status: messages.fault(str(error))}
    return {
        **panel.rating.filled(None),
        panel.status: messages.saved("Withdrawn"),
        **_saved_before(panel, False, undo=True),
    }


def undo_rating(panel: RatingPanel, feedback: Feedback, answer_id: str | None, annotator: str) -> Updates:
    """Take the last save back, and show the rating as it was before."""
    if answer_id is None:
        return {panel.status: messages.fault("There is no rating to undo.")}
    try:
        before = feedback.undo(answer_id, annotator)
    except StorageError as error:
        return {panel.status: messages.fault(str(error))}
    words = "Undone: the rating before it counts again" if before else "Undone: no rating is stored now"
    return {
        **panel.rating.filled(before),
        panel.status: messages.saved(words),
        **_saved_before(panel, before is not None),
    }


def connect_rating(
    panel: RatingPanel,
    session: gr.State,
    visit: gr.HTML,
    annotator: gr.BrowserState,
    studio: Studio,
    fast: dict[str, Any],
) -> list[Dependency]:
    """visit: what the browser keeps of the page.  fast: how events are attached that skip the queue: it is
    full while many wait for the model, and a rating must be saved even then. Returns the events after which
    the form may be as it is stored."""

    def save(*values: Any) -> Updates:
        *fields, now, note, person = values
        shown = shown_answer(now, note)
        return save_rating(panel, studio.feedback, shown, person, panel.rating.as_rating(fields))

    def undo(now: Session, note: str, person: str) -> Updates:
        return undo_rating(panel, studio.feedback, shown_answer(now, note), person)

    def withdraw(now: Session, note: str, person: str) -> Updates:
        return withdraw_rating(panel, studio.feedback, shown_answer(now, note), person)

    def refused(sentence: str) -> Updates:
        return {panel.status: messages.fault(sentence)}

    counted = partial(save_limited, studio, refused=refused)
    own = [session, visit, annotator]
    return [
        panel.save.click(counted(save), [*panel.fields, *own], **fast),
        panel.withdraw.click(counted(withdraw), own, **fast),
        panel.undo.click(counted(undo), own, **fast),
    ]
