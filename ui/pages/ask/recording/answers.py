"""Answers about whole recordings as the page shows them, and what people say about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import StorageError
from storage.annotation.recording_answers import StoredRecordingAnswer
from storage.ratings.results import Revision
from ui.access.request import visitor_of
from ui.components.event_data import value_of
from ui.components.rating import contradiction
from usam.errors import UsamError
from usam.schema.answer import CUT_SHORT

if TYPE_CHECKING:
    from ui.studio.service import Studio

MOST_SPANS = 3  # that are named of those an answer leans on
FIELDS = ("thumb", "score", "correction", "comment")
"""Of a rating, which the page asks for; further dimensions and flags it does not."""
_WAYS: dict[str, str] = {
    "whole": "The language model read all of it at once.",
    "span by span": "Too long to be read at once: put together from answers about one span after another.",
}


def shown_answer(record: dict[str, Any]) -> dict[str, Any]:
    """An answer of the model's (`RecordingAnswer.to_json`) in the words of the page."""
    return {
        "question": record["question"],
        "text": record["answer"],
        "line": f"{_WAYS.get(record['way'], '')} {CUT_SHORT.get(record['finish'], '')}".strip(),
        "leans": [[span["start"], span["end"]] for span in record["leans_on"][:MOST_SPANS]],
    }


def kept_answer(stored: StoredRecordingAnswer) -> dict[str, Any]:
    return {"id": stored.id, **shown_answer(stored.record), "rating": _shown_rating(stored.rating)}


def answer_json(stored: StoredRecordingAnswer) -> dict[str, Any]:
    """An answer with its rating, for a file."""
    asked_at = stored.created_at.isoformat()
    return {**stored.record, "created_at": asked_at, "rating": _shown_rating(stored.rating)}


class AnswerHandlers:
    """What differs between visitors is in the arguments. Everything updates the view alone, and nothing that
    was typed there."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.ratings = studio.recordings.ratings

    def rated(self, annotator: str, sent: gr.EventData, request: gr.Request) -> Any:
        values: Any = {name: value_of(sent, name) for name in FIELDS}

        def rate(answer: str) -> tuple[Revision | None, str]:
            with self.studio.metrics.save():
                rating = self.ratings.rate(answer, annotator, **values)
            doubt = contradiction(values)
            return rating, f"Saved. {doubt} Change one if that was not meant." if doubt else "Saved."

        return self._done(rate, sent, request)

    def withdrawn(self, annotator: str, sent: gr.EventData, request: gr.Request) -> Any:
        def withdraw(answer: str) -> tuple[Revision | None, str]:
            self.ratings.withdraw(answer, annotator)
            return None, "Withdrawn."

        return self._done(withdraw, sent, request)

    def _done(
        self, act: Callable[[str], tuple[Revision | None, str]], sent: gr.EventData, request: gr.Request
    ) -> Any:
        """Do it, and say how the answer is rated now, or why it could not be done."""
        of = str(value_of(sent, "of") or "")
        outcome: dict[str, Any] = {"of": of, "turn": value_of(sent, "turn")}
        try:
            self.studio.saves.take(visitor_of(request))
            rating, line = act(of)
            outcome |= {"rating": _shown_rating(rating), "line": line}
        except (UsamError, StorageError) as error:
            outcome["problem"] = str(error)
        return gr.update(outcome=json.dumps(outcome, ensure_ascii=False))


def _shown_rating(rating: Revision | None) -> dict[str, Any] | None:
    return None if rating is None else {name: getattr(rating, name) for name in FIELDS}
