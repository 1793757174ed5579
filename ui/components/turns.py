"""Limits requests to one a page at a time and a number a visitor: reserves places, and refuses the rest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import gradio as gr

from ui.access.request import visitor_of
from ui.server.queues import MODEL, STUDY, SharedQueue, share_queue
from ui.studio.running import RunningRequests, too_many_waiting
from usam.errors import RequestError

if TYPE_CHECKING:
    from ui.server.queues import Admission
    from ui.studio.service import Studio

LIGHT_EACH = 8
"""Events that ask no model, such as the choice of a clip, that one visitor may have waiting or running, or as
many as questions where these may be more. Each takes a moment, and a page has one or two."""
LIGHT_FOR_OTHERS = 4
"""Events of a kind that run at once beside all that one visitor may have."""


def take_turn(studio: Studio, page: str, visitor: str | None, *, lapses: bool = True) -> None:
    """Reserve the page for its next question before that is queued, so that Stop works from the start. Raises
    gr.Error where the queue is full, the visitor has their share of it, or the page still waits for something
    else.

    lapses: see `RunningRequests.begin`.
    """
    if not _begin(studio.running, page, visitor, lapses):
        raise _one_at_a_time("The last answer is still being written. Press Stop first.")


def take_experiment_turn(studio: Studio, page: str, visitor: str | None) -> None:
    """The same for an experiment on an answer, which has a queue of its own."""
    if not _begin(studio.running_experiments, page, visitor):
        raise _one_at_a_time("An experiment is still running. Press Stop first.")


def _begin(running: RunningRequests, page: str, visitor: str | None, lapses: bool = True) -> bool:
    try:
        return running.begin(page, visitor, lapses=lapses)
    except RequestError as full:
        raise gr.Error(str(full), title="The queue is full", print_exception=False) from full


def _one_at_a_time(sentence: str) -> gr.Error:
    """The refusal of a request while the page waits for another one; not a server error."""
    return gr.Error(sentence, title="One at a time", print_exception=False)


def share_queues(demo: gr.Blocks, studio: Studio, size: int) -> SharedQueue:
    """Give each visitor a share of the app's queue, in which so many events may wait. Called once its events
    are there."""
    light_each = max(LIGHT_EACH, studio.settings.max_waiting_each)
    admit = _admission(studio, light_each)
    queue = share_queue(demo, size, light_each + LIGHT_FOR_OTHERS, visitor_of, admit)
    studio.running.is_queued = partial(queue.is_queued, concurrency_id=MODEL)
    studio.running_experiments.is_queued = partial(queue.is_queued, concurrency_id=STUDY)
    return queue


def _admission(studio: Studio, light_each: int) -> Admission:
    """Admits events up to each visitor's share of Gradio's queue; one without a reserved place, such as a
    program's call, only while the visitor has questions left this minute."""
    each = studio.settings.max_waiting_each
    reserved = {MODEL: studio.running, STUDY: studio.running_experiments}

    def admit(session: str, concurrency_id: str, visitor: str | None, light: int, heavy: int) -> None:
        if visitor is None:
            return
        if concurrency_id not in reserved:
            if light >= light_each:
                raise RequestError("Too many of your requests are running at once. Try again in a moment.")
            return
        if heavy >= each:
            raise RequestError(too_many_waiting(heavy))
        if session not in reserved[concurrency_id]:
            studio.questions.check(visitor)

    return admit
