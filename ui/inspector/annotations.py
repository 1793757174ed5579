"""What a person marks in the picture and judges by ear: stores it, and sends the viewer what is stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from storage import Feedback, StorageError
from storage.annotation.spans import Spans
from storage.annotation.token_verdicts import TokenVerdicts
from storage.errors import RatingError
from ui.access.request import visitor_of
from ui.components.event_data import value_of
from ui.studio.session import Session, SessionAnswer
from usam.errors import RequestError

Updates = dict[Any, Any]
Save = Callable[[str, str, dict[str, Any]], None]

NOT_STORED = "This answer could not be stored, so nothing about it can be saved."
GONE = "This answer is no longer on the page."


@dataclass(frozen=True)
class Marks:
    """labels: what a span can be marked as."""

    feedback: Feedback
    labels: tuple[str, ...]

    def annotations_of(self, answer_id: str, annotator: str) -> dict[str, Any]:
        """What the person marked and judged of an answer, as the viewer reads it. Raises StorageError."""
        return {
            "labels": self.labels,
            "spans": [span.to_json() for span in Spans(self.feedback.database).of(answer_id, annotator)],
            "verdicts": TokenVerdicts(self.feedback.database).of(answer_id, annotator),
        }

    def mark(self, answer_id: str, annotator: str, sent: dict[str, Any]) -> None:
        """Save a new span, or a changed one by its id. Raises StorageError."""
        values: Any = (sent.get("start"), sent.get("end"), sent.get("label"), sent.get("comment"))
        if sent.get("id") is None:
            Spans(self.feedback.database).mark(answer_id, annotator, *values)
        else:
            Spans(self.feedback.database).change(sent["id"], annotator, *values)

    def withdraw(self, answer_id: str, annotator: str, sent: dict[str, Any]) -> None:
        """Raises StorageError."""
        Spans(self.feedback.database).withdraw(str(sent.get("id")), annotator)

    def judge(self, answer_id: str, annotator: str, sent: dict[str, Any]) -> None:
        """Save verdicts by token. Raises StorageError."""
        given = sent.get("verdicts")
        if not isinstance(given, dict) or not all(re.fullmatch(r"\d{1,6}", str(token)) for token in given):
            raise RatingError("Verdicts are given by the number of a token.")
        TokenVerdicts(self.feedback.database).judge(
            answer_id, annotator, {int(token): verdict for token, verdict in given.items()}
        )


def reply(
    marks: Marks,
    event: str,
    sent: dict[str, Any],
    entry: SessionAnswer | None,
    annotator: str,
    save: Save | None,
) -> str:
    """Do what the viewer asks for; returns the reply as JSON: the stored annotations, or the problem."""
    answer: dict[str, Any] = {"event": event, "key": sent.get("key"), "turn": sent.get("turn")}
    try:
        if entry is None or entry.answer_id is None:
            raise RatingError(GONE if entry is None else NOT_STORED)
        if save:
            save(entry.answer_id, annotator, sent)
        answer |= marks.annotations_of(entry.answer_id, annotator)
        answer |= {"question": entry.answer.question, "answer": entry.answer.text}
    except (RequestError, StorageError) as error:
        answer["problem"] = str(error)
    return json.dumps(answer, separators=(",", ":"))


def connect_marks(
    viewer: gr.HTML,
    session: gr.State,
    annotator: gr.BrowserState,
    marks: Marks,
    take: Callable[[str | None], None],
    fast: dict[str, Any],
) -> None:
    """take: counts a save of a visitor's; raises RequestError when it is one too many. fast: how events are
    attached that wait in no queue."""

    def counted(save: Save, visitor: str | None, answer_id: str, person: str, sent: dict[str, Any]) -> None:
        take(visitor)
        save(answer_id, person, sent)

    def handler(event: str, save: Save | None) -> Callable[..., Any]:
        def handle(session: Session, annotator: str, sent: gr.EventData, request: gr.Request) -> Any:
            data = {name: value_of(sent, name) for name in _SENT}
            saving = partial(counted, save, visitor_of(request)) if save else None
            return gr.update(
                annotations=reply(marks, event, data, session.entry(data["key"]), annotator, saving)
            )

        return handle

    # One after another may be on its way, and none of them is to be left out.
    options = {**fast, "outputs": viewer, "trigger_mode": "multiple"}
    inputs = [session, annotator]
    viewer.opened(handler("opened", None), inputs, **options)
    viewer.marked(handler("marked", marks.mark), inputs, **options)
    viewer.unmarked(handler("unmarked", marks.withdraw), inputs, **options)
    viewer.judged(handler("judged", marks.judge), inputs, **options)


_SENT = ("key", "turn", "id", "start", "end", "label", "comment", "verdicts")
"""What the viewer's events carry; all of it is untrusted."""
