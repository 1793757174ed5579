"""Named endpoints for `gradio_client`: the page's questions, answers, trials and ratings, as JSON."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from storage import StorageError
from ui.access.request import visitor_of
from ui.components.uploads import uploads_only
from ui.server.queues import MODEL, STUDY
from ui.studio.experiments import ExperimentTarget
from ui.studio.service import UNEXPECTED, AskRequest, Studio
from ui.studio.session import SessionAnswer
from ui.studio.stored_answers import audio_of, load_stored_answer
from usam.errors import RequestError, UsamError
from usam.interpretability.deletion import LONGEST_REFERENCE, SEEDS
from usam.schema import interventions
from usam.schema.interventions import Intervention
from usam.schema.tasks import TASKS

log = logging.getLogger(__name__)

MOST_SEEDS = 20
SEND_THE_CLIP = "The audio of this answer was not kept: send the clip it was about as `audio`."


def add_endpoints(studio: Studio) -> None:
    """Add /ask, /intervene, /deletion_test, /attribute, /replay, /rate, /compare and /trace. Called inside
    a `gr.Blocks` context.

    On purpose no others: whoever reaches the app reaches these. What belongs to whoever runs it, such as
    backup and forgetting others, is on the command line (`python -m storage`), and exports are behind the
    Dashboard's door as well. `ui.api.mcp` offers fewer.
    """
    endpoints = Endpoints(studio)
    # Real components, unlike gr.api's, check that a client's file is one it uploaded.
    with gr.Row(visible=False):
        audio = uploads_only(gr.Audio(type="filepath", label="audio"))
        question = gr.Textbox(label="question")
        task = gr.Dropdown(list(TASKS), value="qa", label="task")
        answer = gr.Textbox(label="answer_id")
        change = gr.JSON(label="change")
        reference = gr.Textbox(label="reference")
        seeds = gr.Number(SEEDS, precision=0, label="seeds")
        threshold = gr.Number(None, label="threshold")
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
    trial: dict[str, Any] = {"outputs": result, "concurrency_id": STUDY, "concurrency_limit": 1}
    changed = [answer, change, audio, threshold]
    button.click(endpoints.intervene, changed, api_name="intervene", **trial)
    tested = [answer, audio, reference, seeds, threshold]
    button.click(endpoints.deletion_test, tested, api_name="deletion_test", **trial)
    button.click(endpoints.attribute, [answer, audio], api_name="attribute", **trial)
    button.click(endpoints.replay, [answer, audio], api_name="replay", **trial)
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
            asked = AskRequest(question or "", task, audio, visitor=visitor_of(request))
            for event in self.studio.ask(asked, None, threading.Event()):
                entry = event if isinstance(event, SessionAnswer) else entry
        except UsamError as error:
            raise refusal(error) from error
        assert entry is not None  # nobody stops this one
        if entry.storage_error:
            raise refusal(entry.storage_error)
        return {"answer_id": entry.answer_id, **entry.answer.to_json()}

    def intervene(
        self,
        answer_id: str,
        change: dict[str, Any],
        audio: str | None = None,
        threshold: float | None = None,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Ask again what a stored answer was asked, the audio tokens changed.

        `change` is an `intervention` of the JSON contract, such as {"kind": "drop-redundant"}. `audio` is
        needed where it was not kept. `threshold` flags the redundant tokens instead of the model's own.
        """
        intervention = intervention_from(change)
        return self._tried(
            answer_id,
            audio,
            lambda target: self.studio.experiments.change(target, intervention, _unwatched).to_json(),
            request,
            threshold,
        )

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
        check_texts(reference=reference or "")
        text = (reference or "").strip()
        if len(text) > LONGEST_REFERENCE:
            raise refusal(f"A reference has at most {LONGEST_REFERENCE} characters.")
        if not isinstance(seeds, int) or not 1 <= seeds <= MOST_SEEDS:
            raise refusal(f"The deletion test takes 1 to {MOST_SEEDS} seeds here.")
        return self._tried(
            answer_id,
            audio,
            lambda target: self.studio.experiments.deletion(
                target, text or None, seeds, _unwatched
            ).to_json(),
            request,
            threshold,
        )

    def attribute(
        self, answer_id: str, audio: str | None = None, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """What each word of a stored answer leaned on: nats for each audio token, by occlusion of a window.

        `audio` is needed where it was not kept.
        """
        return self._tried(
            answer_id,
            audio,
            lambda target: self.studio.experiments.attribution(target, _unwatched).to_json(),
            request,
        )

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
        """A trial counts as a question: it asks the model at least once."""
        check_texts(answer=answer_id)
        if threshold is not None and not (isinstance(threshold, int | float) and math.isfinite(threshold)):
            raise refusal("The threshold has to be a number.")
        try:
            self.studio.questions.take(visitor_of(request))
            entry = load_stored_answer(self.studio.feedback, answer_id, self.studio.clips)
            try:
                audio_clip = audio_of(entry, audio, self.studio.clips)
            except RequestError as error:
                raise RequestError(SEND_THE_CLIP) from error
            for _ in self.studio.loader.wait(threading.Event()):
                pass
            return trial(ExperimentTarget(replace(entry, audio=audio_clip), threshold=threshold))
        except (StorageError, UsamError) as error:
            raise refusal(error) from error
        except Exception as error:
            log.exception("a trial failed")
            raise refusal(UNEXPECTED) from error

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


def intervention_from(record: object) -> Intervention:
    """The intervention that a client describes. Raises the client's error for anything else."""
    try:
        return interventions.from_json(record)  # type: ignore[arg-type]
    except UsamError as error:
        raise refusal(error) from error
    except (KeyError, TypeError, ValueError) as error:
        raise refusal(
            'There is no such change. Send one like {"kind": "force-expert", "expert": 0}; the kinds are '
            f"{', '.join(interventions.KINDS)}."
        ) from error


def _unwatched(message: str, share: float) -> None:
    """The progress of what nobody watches."""


def check_texts(**values: object) -> None:
    """Gradio passes on whatever JSON a client sends. Raises the client's error for what is not a text."""
    for name, value in values.items():
        if not isinstance(value, str):
            raise refusal(f"The {name} has to be a text.")


def refusal(reason: Exception | str) -> gr.Error:
    """The reason as the client sees it; what is expected leaves no traceback in the server's log."""
    return gr.Error(str(reason), print_exception=False)
