"""Limits what each visitor may have in Gradio's queue, so that nobody fills it for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import gradio as gr
from fastapi import HTTPException
from gradio.queueing import Event, Queue

from usam.errors import RequestError

if TYPE_CHECKING:
    from gradio.data_classes import PredictBodyInternal

MODEL = "model"
"""The `concurrency_id` of all that asks the model a question."""
STUDY = "study"
"""For experiments on an answer. The engine is free between their passes, so questions need not wait."""
MOST_UNREAD = 1000
"""Sessions whose messages are kept though all their events are done. Gradio keeps 2000 and then drops the
oldest, be it of a page that waits."""

VisitorOf = Callable[[Any], str | None]
"""Who a request is counted for; None for whoever runs the app."""


class Admission(Protocol):
    """Decides whether an event may enter its queue."""

    def __call__(
        self, session: str, concurrency_id: str, visitor: str | None, light: int, heavy: int
    ) -> None:
        """light, heavy: events that need no model, and questions and experiments, that the visitor has
        waiting or running. Raises RequestError, with the sentence to show, to refuse one more."""


class SharedQueue(Queue):
    """Gradio's queue, but a refused event never enters it: HTTP 429, with the sentence where Gradio's page
    and clients look for one."""

    def __init__(
        self, blocks: gr.Blocks, max_size: int, light_at_once: int, visitor_of: VisitorOf, admit: Admission
    ) -> None:
        """max_size: events that wait at most. light_at_once: how many of one kind run at once, where the kind
        does not say."""
        super().__init__(
            live_updates=True,
            concurrency_count=blocks.max_threads,
            update_intervals=1,
            max_size=max_size,
            blocks=blocks,
            default_concurrency_limit=light_at_once,
        )
        self.visitor_of = visitor_of
        self.admit = admit

    async def push(
        self, body: PredictBodyInternal, request: Any, username: str | None
    ) -> tuple[bool, Any, Any]:
        if len(self) >= (self.max_size or 0):
            raise HTTPException(503, "The queue is full. Please try again in a minute.")
        fn = self.blocks.fns.get(body.fn_index) if body.fn_index is not None else None
        visitor = self.visitor_of(request)
        light, heavy = self._held_by(visitor)
        try:
            self.admit(body.session_hash or "", fn.concurrency_id if fn else "", visitor, light, heavy)
        except RequestError as error:
            raise HTTPException(429, str(error)) from error
        if body.session_hash:
            self.blocks.state_holder[body.session_hash]  # the session begins here, where its owner is known
        self._forget_unread()
        # Nothing is awaited between counting and queueing, so that concurrent requests are all counted.
        return await super().push(body, request, username)

    def is_queued(self, session: str, concurrency_id: str) -> bool:
        """Whether an event of the session waits or runs there. From any thread."""
        events = list(self.event_ids_to_events.values())
        return any(
            event.session_hash == session and event.concurrency_id == concurrency_id for event in events
        )

    def forget(self, session: str) -> None:
        """Drop the unread messages of a session that has ended."""
        self.pending_messages_per_session.pop(session, None)
        self.pending_event_ids_session.pop(session, None)

    def _held_by(self, visitor: str | None) -> tuple[int, int]:
        """How many light events, and how many questions and experiments, the visitor has."""
        if visitor is None:
            return 0, 0
        heavy = [
            event.concurrency_id in (MODEL, STUDY)
            for event in self._events()
            if self.visitor_of(event.request) == visitor
        ]
        return len(heavy) - sum(heavy), sum(heavy)

    def _events(self) -> Iterator[Event]:
        """All that wait, and all that run."""
        for waiting in self.event_queue_per_concurrency_id.values():
            yield from waiting.queue
        for running in self.active_jobs:
            yield from running or ()

    def _forget_unread(self) -> None:
        if len(self.pending_messages_per_session) < MOST_UNREAD:
            return
        unfinished = {event.session_hash for event in self.event_ids_to_events.values()}
        for session in list(self.pending_messages_per_session):
            if session not in unfinished:
                self.forget(session)
            if len(self.pending_messages_per_session) <= MOST_UNREAD // 2:
                break


def share_queue(
    demo: gr.Blocks, max_size: int, light_at_once: int, visitor_of: VisitorOf, admit: Admission
) -> SharedQueue:
    """Give the app a `SharedQueue`, whose arguments these are. Called once its events are defined."""
    demo.queue(max_size=max_size, api_open=False)
    demo._queue = SharedQueue(demo, max_size, light_at_once, visitor_of, admit)
    return demo._queue
