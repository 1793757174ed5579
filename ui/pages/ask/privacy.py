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
from ui.studio.session import Session

if TYPE_CHECKING:
    from storage.maintenance.erasure import Holdings
    from ui.settings import Settings
    from ui.studio.service import Studio

Updates = dict[Any, Any]

_STORED = """<p class="hint">Each answer is stored on this machine with its question, its trace, a hash and a
fingerprint of the clip, and so are your ratings of it. They are stored under {id}, without a name or an
address. Of a whole recording, its name, its hash, what was heard in it, your changes, and answers about it
with your ratings are stored; no other visitor sees them. Other annotators see questions and answers about
clips; whoever runs this app can read all of it, and train on it. A clip's audio is stored only if its box was
ticked; then they can hear it, and so can everyone with the link to an answer.</p>"""


@dataclass(frozen=True)
class PrivacyPanel:
    box: gr.Accordion
    held: gr.HTML
    delete: gr.Button
    sure: gr.Group
    sentence: gr.HTML
    judged_too: gr.Checkbox
    confirm: gr.Button
    cancel: gr.Button
    status: gr.HTML


def privacy_panel(settings: Settings) -> PrivacyPanel:
    with gr.Accordion("Your data", open=False, elem_id="privacy") as box:
        gr.HTML(_STORED.format(id=whose_id(settings)))
        held = gr.HTML("", elem_id="held")
        with gr.Row(elem_id="delete-row"):
            delete = gr.Button("Delete my data", size="sm", min_width=140, scale=0, elem_id="delete-data")
        with gr.Group(visible=False, elem_id="sure") as sure:
            sentence = gr.HTML("", elem_id="delete-what")
            judged_too = gr.Checkbox(
                label="Delete the answers that others judged too, with their judgements",
                elem_id="delete-judged",
            )
            with gr.Row():
                confirm = gr.Button(
                    "Yes, delete it",
                    variant="stop",
                    size="sm",
                    min_width=160,
                    scale=0,
                    elem_id="delete-sure",
                )
                cancel = gr.Button("Keep it", size="sm", min_width=100, scale=0, elem_id="delete-not")
        status = gr.HTML("", elem_id="privacy-status")
    return PrivacyPanel(box, held, delete, sure, sentence, judged_too, confirm, cancel, status)


def holdings_shown(panel: PrivacyPanel, feedback: Feedback, annotator: str) -> Updates:
    """How much is stored; a deletion begins anew."""
    try:
        held = feedback.holdings(annotator)
    except StorageError as error:
        return {panel.status: messages.fault(str(error))}
    cells = (
        ("Answers", held.answers), ("Ratings", held.ratings), ("Comparisons", held.comparisons),
        ("Marked spans", held.spans), ("Judged tokens", held.tokens), ("Clips with audio", held.audio),
        ("Whole recordings", held.recordings), ("Answers about them", held.recording_answers),
    )  # fmt: skip
    items = "".join(f"<div><dt>{name}</dt><dd>{count}</dd></div>" for name, count in cells)
    return {
        panel.held: f'<dl class="meters">{items}</dl>',
        panel.delete: gr.Button(visible=True),
        panel.sure: gr.update(visible=False),
        panel.status: "",
    }


def deletion_asked(panel: PrivacyPanel, feedback: Feedback, annotator: str) -> Updates:
    """What exactly a deletion takes away, and what it leaves, before it is confirmed."""
    try:
        held = feedback.holdings(annotator)
    except StorageError as error:
        return {panel.status: messages.fault(str(error))}
    return {
        panel.delete: gr.Button(visible=False),
        panel.sure: gr.update(visible=True),
        panel.sentence: f'<p class="hint">{_deletion(held)}</p>',
        panel.judged_too: gr.Checkbox(value=False, visible=bool(held.judged)),
    }


def _deletion(held: Holdings) -> str:
    judgements = messages.counted(held.ratings + held.comparisons + held.spans + held.tokens, "judgement")
    answers = messages.counted(held.answers - held.judged, "answer")
    recordings = messages.counted(held.recordings, "recording")
    text = (
        f"This deletes {answers} of yours with question and trace, {judgements} that you made, and what was "
        f"heard in {recordings} of yours and answered about them. The audio that you agreed to keep goes "
        "too, unless others agreed for the same clip. It cannot be undone."
    )
    if held.judged:
        stay = messages.counted(held.judged, "answer")
        text += f" Kept, with the question but under nobody's name: {stay} that others judged."
    return text


def deleted(
    panel: PrivacyPanel, feedback: Feedback, annotator: str, judged_too: bool
) -> tuple[bool, Updates]:
    """Delete what is under the person's id, and show what that was; false on failure."""
    try:
        gone = feedback.forget(annotator=annotator, keep_judged=not judged_too)
        line = f"Deleted: {gone}"
        if gone.kept:
            line += f"; kept under nobody's name: {messages.counted(gone.kept, 'answer')} that others judged"
        line = messages.saved(line)
    except NotFoundError:
        line = messages.status("Nothing was stored under your id.")
    except StorageError as error:
        return False, {panel.status: messages.fault(str(error))}
    return True, {**holdings_shown(panel, feedback, annotator), panel.status: line}


def connect_privacy(
    panel: PrivacyPanel,
    session: gr.State,
    annotator: gr.BrowserState,
    studio: Studio,
    cleared: Callable[[Session, str], Updates],
    fast: dict[str, Any],
) -> None:
    """cleared: the updates that empty the rest of the page for a person with a new id."""
    feedback = studio.feedback

    def delete_all(
        person: str,
        judged_too: bool,
        now: Session,
        request: gr.Request,
        profile: gr.OAuthProfile | None = None,
    ) -> Updates:
        done, report = deleted(panel, feedback, person, judged_too)
        if not done:
            return report
        fresh = studio.identity.annotator("", request, profile)
        return {**cleared(now, fresh), annotator: fresh, **report}

    def held(person: str) -> Updates:
        return holdings_shown(panel, feedback, person)

    def ask(person: str) -> Updates:
        return deletion_asked(panel, feedback, person)

    panel.box.expand(held, annotator, **fast)
    panel.delete.click(ask, annotator, **fast)
    panel.cancel.click(held, annotator, **fast)
    panel.confirm.click(delete_all, [annotator, panel.judged_too, session], **fast)
