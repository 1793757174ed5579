"""The visitor's data: what is stored under their id, and its deletion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import Feedback, StorageError
from storage.errors import NotFoundError
from ui.access.identity import whose_id
from ui.components import messages

if TYPE_CHECKING:
    from ui.settings import Settings
    from ui.studio.service import Studio

Updates = dict[Any, Any]

_STORED = """<p class="hint">Each answer is stored on this machine with its question, its trace and a hash of
the clip, and so are your ratings of it. They are stored under {id}, without a name or an address. Other
annotators see questions and answers; whoever runs this app can read all of it, and train on it. A clip's
audio is stored only if its box was ticked; then they can hear it, and so can everyone with the link to an
answer.</p>"""


@dataclass(frozen=True)
class PrivacyPanel:
    box: gr.Accordion
    held: gr.HTML
    delete: gr.Button
    sure: gr.Row
    confirm: gr.Button
    cancel: gr.Button
    status: gr.HTML


def privacy_panel(settings: Settings) -> PrivacyPanel:
    with gr.Accordion("Your data", open=False, elem_id="privacy") as box:
        gr.HTML(_STORED.format(id=whose_id(settings)))
        held = gr.HTML("", elem_id="held")
        with gr.Row(elem_id="delete-row"):
            delete = gr.Button("Delete my data", size="sm", min_width=140, scale=0, elem_id="delete-data")
        with gr.Row(visible=False, elem_id="sure") as sure:
            confirm = gr.Button(
                "Yes, delete all of it",
                variant="stop",
                size="sm",
                min_width=160,
                scale=0,
                elem_id="delete-sure",
            )
            cancel = gr.Button("Keep it", size="sm", min_width=100, scale=0, elem_id="delete-not")
        status = gr.HTML("", elem_id="privacy-status")
    return PrivacyPanel(box, held, delete, sure, confirm, cancel, status)


def holdings_shown(panel: PrivacyPanel, feedback: Feedback, annotator: str) -> Updates:
    """How much is stored; a deletion begins anew."""
    try:
        held = feedback.holdings(annotator)
    except StorageError as error:
        return {panel.status: messages.fault(str(error))}
    cells = (
        ("Answers", held.answers), ("Ratings", held.ratings), ("Comparisons", held.comparisons),
        ("Marked spans", held.spans), ("Judged tokens", held.tokens), ("Clips with audio", held.audio),
    )  # fmt: skip
    items = "".join(f"<div><dt>{name}</dt><dd>{count}</dd></div>" for name, count in cells)
    return {
        panel.held: f'<dl class="meters">{items}</dl>',
        panel.delete: gr.Button(visible=True),
        panel.sure: gr.Row(visible=False),
        panel.status: "",
    }


def deleted(panel: PrivacyPanel, feedback: Feedback, annotator: str) -> tuple[bool, Updates]:
    """Delete everything under the person's id, and show what that was; false on failure."""
    try:
        line = messages.saved(f"Deleted: {feedback.forget(annotator=annotator)}")
    except NotFoundError:
        line = messages.status("Nothing was stored under your id.")
    except StorageError as error:
        return False, {panel.status: messages.fault(str(error))}
    return True, {**holdings_shown(panel, feedback, annotator), panel.status: line}


def connect_privacy(
    panel: PrivacyPanel,
    annotator: gr.BrowserState,
    studio: Studio,
    cleared: Callable[[str], Updates],
    fast: dict[str, Any],
) -> None:
    """cleared: the updates that empty the rest of the page for a person with a new id."""
    feedback = studio.feedback

    def delete_all(person: str, request: gr.Request, profile: gr.OAuthProfile | None = None) -> Updates:
        done, report = deleted(panel, feedback, person)
        if not done:
            return report
        fresh = studio.identity.annotator("", request, profile)
        return {**cleared(fresh), annotator: fresh, **report}

    def held(person: str) -> Updates:
        return holdings_shown(panel, feedback, person)

    def ask() -> Updates:
        return {panel.delete: gr.Button(visible=False), panel.sure: gr.Row(visible=True)}

    panel.box.expand(held, annotator, **fast)
    panel.delete.click(ask, None, **fast)
    panel.cancel.click(held, annotator, **fast)
    panel.confirm.click(delete_all, annotator, **fast)
