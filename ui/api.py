"""Named endpoints for `gradio_client`: the same questions, answers and ratings as on the page, as JSON."""

from __future__ import annotations

import threading
from typing import Any

import gradio as gr

from storage import StorageError
from ui.events import MODEL
from ui.studio import Question, Studio
from ui.uploads import uploads_only
from ui.visit import Entry
from ui.visitor import visitor_of
from usam.errors import UsamError
from usam.tasks import TASKS


def add_endpoints(studio: Studio) -> None:
    """Add /ask, /rate, /compare and /trace. Called inside a `gr.Blocks` context.

    On purpose no others: whoever reaches the app reaches these. What belongs to whoever runs it, such as
    export, backup and forgetting others, is on the command line (`python -m storage`) alone.
    """
    endpoints = Endpoints(studio)
    # Real components, unlike gr.api's, check that a client's file is one it uploaded.
    with gr.Row(visible=False):
        audio = uploads_only(gr.Audio(type="filepath", label="audio"))
        question = gr.Textbox(label="question")
        task = gr.Dropdown(list(TASKS), value="qa", label="task")
        result = gr.JSON(label="answer")
        button = gr.Button()
    button.click(
        endpoints.ask,
        [audio, question, task],
        result,
        api_name="ask",
        concurrency_id=MODEL,
        concurrency_limit=studio.settings.at_once,
    )
    # Past the queue, which is full while many wait for the model: a rating must be saved even then.
    gr.api(endpoints.rate, api_name="rate", queue=False)
    gr.api(endpoints.compare, api_name="compare", queue=False)
    gr.api(endpoints.trace, api_name="trace", queue=False)


class Endpoints:
    """What the endpoints do. Expected failures reach the client as an error with one plain sentence."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def ask(self, audio: str | None, question: str, task: str, request: gr.Request) -> dict[str, Any]:
        """Ask about a clip; an empty question asks the task's own prompt. Tasks: qa, asr, s2tt, aac, mc."""
        entry = None
        try:
            asked = Question(question or "", task, audio, visitor=visitor_of(request))
            for event in self.studio.ask(asked, None, threading.Event()):
                entry = event if isinstance(event, Entry) else entry
        except UsamError as error:
            raise refusal(error) from error
        assert entry is not None  # nobody stops this one
        if entry.storage_error:
            raise refusal(entry.storage_error)
        return {"answer_id": entry.answer_id, **entry.answer.to_json()}

    def rate(
        self,
        answer_id: str,
        annotator: str,
        thumb: int | None = None,
        score: int | None = None,
        correction: str | None = None,
        comment: str | None = None,
        dimensions: dict[str, int] | None = None,
        flags: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Give or change a rating: thumb -1, 0 or 1, score and dimensions 1 to 5, flags, and free text; saved
        when this returns."""
        free = {"correction": correction, "comment": comment}
        check_texts(answer=answer_id, annotator=annotator)
        check_texts(**{name: text for name, text in free.items() if text is not None})
        try:
            self.studio.ratings.take(visitor_of(request))
            rating = self.studio.feedback.rate(
                answer_id,
                self.studio.identity.of_account(request) or annotator,
                thumb=thumb,
                score=score,
                dimensions=dimensions,
                flags=flags,
                correction=correction,
                comment=comment,
            )
        except (StorageError, UsamError) as error:
            raise refusal(error) from error
        return {"rating_id": rating.id, "revision": rating.revision, "saved": True}

    def compare(
        self,
        answer_a: str,
        answer_b: str,
        annotator: str,
        winner: str,
        swapped: bool = False,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Vote between two answers to the same question about the same clip: a, b, tie or both_bad."""
        check_texts(annotator=annotator, winner=winner)
        try:
            self.studio.ratings.take(visitor_of(request))
            person = self.studio.identity.of_account(request) or annotator
            vote = self.studio.feedback.compare(answer_a, answer_b, person, winner, swapped)  # type: ignore[arg-type]
        except (StorageError, UsamError) as error:
            raise refusal(error) from error
        return {"comparison_id": vote.id, "saved": True}

    def trace(self, answer_id: str) -> dict[str, Any]:
        """The whole stored record of an answer: text, tokens with times and routing, model, timings."""
        try:
            return self.studio.feedback.answer(answer_id)
        except StorageError as error:
            raise refusal(error) from error


def check_texts(**values: object) -> None:
    """Gradio passes on whatever JSON a client sends. Raises the client's error for what is not a text."""
    for name, value in values.items():
        if not isinstance(value, str):
            raise refusal(f"The {name} has to be a text.")


def refusal(reason: Exception | str) -> gr.Error:
    """The reason as the client sees it; what is expected leaves no traceback in the server's log."""
    return gr.Error(str(reason), print_exception=False)
