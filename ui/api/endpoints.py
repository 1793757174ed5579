"""What the named endpoints do: the page's questions, answers, experiments and ratings, as JSON."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from storage import StorageError
from ui.access.request import visitor_of
from ui.api import validation
from ui.studio.experiments import ExperimentTarget
from ui.studio.service import UNEXPECTED, AskRequest, Studio
from ui.studio.session import SessionAnswer
from ui.studio.stored_answers import audio_of, load_stored_answer
from usam.errors import RequestError, UsamError
from usam.interpretability.deletion import SEEDS

log = logging.getLogger(__name__)

Parameters = ParamSpec("Parameters")
Reply = TypeVar("Reply")

SEND_THE_CLIP = "The audio of this answer was not kept: send the clip it was about as `audio`."


def refusing(endpoint: Callable[Parameters, Reply]) -> Callable[Parameters, Reply]:
    """Whatever goes wrong reaches the client as an error with one sentence; the unexpected is logged."""

    @wraps(endpoint)
    def guarded(*values: Parameters.args, **named: Parameters.kwargs) -> Reply:
        try:
            return endpoint(*values, **named)
        except (StorageError, UsamError) as error:
            raise refusal(error) from error
        except gr.Error:
            raise
        except Exception as error:
            log.exception("the endpoint %s failed", endpoint.__name__)
            raise refusal(UNEXPECTED) from error

    return guarded


class Endpoints:
    """What the endpoints do. Every failure reaches the client as an error with one plain sentence."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    @refusing
    def ask(self, audio: str | None, question: str, task: str, request: gr.Request) -> dict[str, Any]:
        """Ask about a clip; an empty question asks the task's own prompt. Tasks: qa, asr, s2tt, aac, mc."""
        entry = None
        asked = AskRequest(
            validation.optional_text("question", question) or "",
            validation.text("task", task),
            validation.optional_text("audio", audio),
            visitor=visitor_of(request),
        )
        for event in self.studio.ask(asked, None, threading.Event()):
            entry = event if isinstance(event, SessionAnswer) else entry
        assert entry is not None  # nobody stops this one
        if entry.storage_error:
            raise refusal(entry.storage_error)
        return {"answer_id": entry.answer_id, **entry.answer.to_json()}

    @refusing
    def intervene(
        self,
        answer_id: str,
        change: dict[str, Any],
        audio: str | None = None,
        threshold: float | None = None,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Ask again what a stored answer was asked, the audio tokens changed.

        `change` is an `intervention` of the JSON contract, such as {"kind": "drop-redundant"} or
        {"kind": "read-all"}. `audio` is needed where it was not kept. `threshold` flags the redundant tokens
        instead of the model's own.
        """
        intervention = validation.intervention(change)
        return self._tried(
            answer_id,
            audio,
            lambda target: self.studio.experiments.change(target, intervention, _unwatched).to_json(),
            request,
            threshold,
        )

    @refusing
    def deletion_test(
        self,
        answer_id: str,
        audio: str | None = None,
        reference: str | None = None,
        seeds: int = SEEDS,
        threshold: float | None = None,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """What an answer loses without the redundant tokens, and without as many random ones, once a seed.

        Scores the reference instead of the answer, if there is one. `audio` and `threshold` are as in
        /intervene.
        """
        text, count = validation.reference(reference), validation.seeds(seeds)
        return self._tried(
            answer_id,
            audio,
            lambda target: self.studio.experiments.deletion(target, text, count, _unwatched).to_json(),
            request,
            threshold,
        )

    @refusing
    def attribute(
        self, answer_id: str, audio: str | None = None, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """What each word of a stored answer depended on: nats for each audio token, by occlusion of a window.

        `audio` is needed where it was not kept.
        """
        return self._tried(
            answer_id,
            audio,
            lambda target: self.studio.experiments.attribution(target, _unwatched).to_json(),
            request,
        )

    @refusing
    def replay(
        self, answer_id: str, audio: str | None = None, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Ask again what a stored answer was asked, on its precision and checkpoint: did the answer and its
        routing come out the same?

        `audio` is needed where it was not kept.
        """
        return self._tried(
            answer_id,
            audio,
            lambda target: self.studio.experiments.replay(target, _unwatched).to_json(),
            request,
        )

    def _tried(
        self,
        answer_id: str,
        audio: str | None,
        trial: Callable[[ExperimentTarget], dict[str, Any]],
        request: gr.Request | None,
        threshold: float | None = None,
    ) -> dict[str, Any]:
        """An experiment counts as a question: it asks the model at least once."""
        validation.text("answer_id", answer_id)
        validation.optional_text("audio", audio)
        flagged_at = validation.finite("threshold", threshold)
        self.studio.questions.take(visitor_of(request))
        entry = load_stored_answer(self.studio.feedback, answer_id, self.studio.clips)
        try:
            heard = audio_of(entry, audio, self.studio.clips)
        except RequestError as error:
            raise RequestError(SEND_THE_CLIP) from error
        for _ in self.studio.loader.wait(threading.Event()):
            pass
        return trial(ExperimentTarget(replace(entry, audio=heard), threshold=flagged_at))

    @refusing
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
        self.studio.ratings.take(visitor_of(request))
        rating = self.studio.feedback.rate(
            validation.text("answer_id", answer_id),
            self.studio.identity.of_program(validation.text("annotator", annotator), request),
            thumb=thumb,
            score=score,
            dimensions=validation.scores(dimensions, self.studio.settings.dimensions),
            flags=flags,
            correction=validation.optional_text("correction", correction),
            comment=validation.optional_text("comment", comment),
        )
        return {"rating_id": rating.id, "revision": rating.revision, "saved": True}

    @refusing
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
        self.studio.ratings.take(visitor_of(request))
        person = self.studio.identity.of_program(validation.text("annotator", annotator), request)
        vote = self.studio.feedback.compare(
            validation.text("answer_a", answer_a),
            validation.text("answer_b", answer_b),
            person,
            validation.text("winner", winner),  # type: ignore[arg-type]
            validation.flag("swapped", swapped),
        )
        return {"comparison_id": vote.id, "saved": True}

    @refusing
    def trace(self, answer_id: str) -> dict[str, Any]:
        """The whole stored record of an answer: text, tokens with times and routing, model, timings."""
        return self.studio.feedback.answer(validation.text("answer_id", answer_id))


def _unwatched(message: str, share: float) -> None:
    """Progress of a job that no page shows; ignored."""


def refusal(reason: Exception | str) -> gr.Error:
    """The reason as the client sees it; what is expected leaves no traceback in the server's log."""
    return gr.Error(str(reason), print_exception=False)
