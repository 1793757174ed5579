"""Gradio's state of each open page: cheaper to create, and limited for each visitor.

For every new page, and every new client, Gradio describes all components of the app anew, some 30 ms of
CPU time in the event loop. Nothing differs between them at the start. And it keeps the last sessions that
anybody named: whoever names enough of them discards everyone's open pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from copy import copy
from datetime import datetime, timedelta
from enum import Enum

import gradio as gr
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.server.paths import GRADIO_API, route_path

PAGES_HELD = 200
"""Sessions whose state is kept; one with twelve answers holds some 20 MB of sound."""
PAGES_EACH = 50
"""Of those, how many may be of one visitor: a class behind one address is one."""
RECENT = timedelta(minutes=10)
"""A page without a heartbeat is in use for so long after its last event."""
_HEARTBEAT = f"{GRADIO_API}/heartbeat/"


class _Nobody(Enum):
    NOBODY = "no request is being served whose visitor could own a session"


_NOBODY = _Nobody.NOBODY
_visitor: ContextVar[str | _Nobody | None] = ContextVar("visitor", default=_NOBODY)


@contextmanager
def sessions_of(visitor: str | None) -> Iterator[None]:
    """Sessions that begin within belong to this visitor; None is whoever runs the app, on its machine."""
    token = _visitor.set(visitor)
    try:
        yield
    finally:
        _visitor.reset(token)


class Sessions(StateHolder):
    """Gradio's, but a new session is a copy of a fresh one, and belongs to the visitor who began it.

    Who begins too many loses the oldest of their own. Where all together are too many, pages that nobody
    uses go first, then those of the visitor with the most. A session that nobody began by an event, such as
    one that only a heartbeat or a program's call names, is not kept at all.
    """

    def __init__(self, each: int = PAGES_EACH, ended: Callable[[str], None] = lambda session: None) -> None:
        """each: how many one visitor may have. ended: called with a session that is no longer kept."""
        super().__init__()
        self.each = each
        self.ended = ended
        self.connected: Counter[str] = Counter()
        """Open heartbeats by session."""
        self._owners: dict[str, str | None] = {}

    def set_blocks(self, blocks: gr.Blocks) -> None:
        super().set_blocks(blocks)
        self._fresh = SessionState(blocks)

    def __getitem__(self, session_id: str) -> SessionState:
        with self.lock:
            session = self.session_data.get(session_id)
            if session is None:
                session = self._new()
                visitor = _visitor.get()
                if visitor is _NOBODY:
                    return session
                self._owners[session_id] = visitor
                self.session_data[session_id] = session
            self.session_data.move_to_end(session_id)
            self.time_last_used[session_id] = datetime.now()
            gone = self._make_room(self._owners[session_id])
        for other in gone:
            self.ended(other)
        return session

    def update(self, session_id: str) -> None:
        """Gradio's way to make room, which `__getitem__` has done already."""

    def _make_room(self, visitor: str | None) -> list[str]:
        """Discard what is over the limit; the sessions that are gone. The newest session stays."""
        gone = []
        held = Counter(self._owners.values())
        if visitor is not None and held[visitor] > self.each:
            gone.append(self._least_needed(held, visitor))
        elif len(self.session_data) > self.capacity:
            gone.append(self._least_needed(held))
        for session_id in gone:
            del self.session_data[session_id], self.time_last_used[session_id], self._owners[session_id]
        return gone

    def _least_needed(self, held: Counter[str | None], visitor: str | None = None) -> str:
        """The oldest session (of a visitor): one not in use if there is one, of who has the most."""
        *older, _ = self.session_data
        of_visitor = [s for s in older if visitor is None or self._owners[s] == visitor]
        return min(of_visitor, key=lambda s: (self._in_use(s), -held[self._owners[s]]))

    def _in_use(self, session_id: str) -> bool:
        recent = datetime.now() - self.time_last_used[session_id] < RECENT
        return recent or self.connected[session_id] > 0

    def _new(self) -> SessionState:
        session = copy(self._fresh)
        session.blocks_config = copy(self._fresh.blocks_config)
        # A session puts values into the properties, and replaces everything else as a whole.
        session.config_values = {
            key: {**config, "props": {**config["props"]}} if "props" in config else config
            for key, config in self._fresh.config_values.items()
        }
        session.state_data, session._state_ttl = {}, {}
        return session


class SessionOwner:
    """ASGI middleware: sessions that a request's events begin belong to who sent it; a heartbeat keeps its
    page from being discarded, and begins none. Answers 429 to one heartbeat too many of a visitor's."""

    def __init__(self, app: ASGIApp, visitor_of: Callable[[Request], str | None]) -> None:
        """visitor_of: what limits count a request under; None for whoever runs the app."""
        self.app = app
        self.visitor_of = visitor_of
        self._heartbeats: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visitor = self.visitor_of(Request(scope))
        path = route_path(scope)
        if not path.startswith(_HEARTBEAT):
            with sessions_of(visitor):
                await self.app(scope, receive, send)
            return
        if visitor is not None and self._heartbeats[visitor] >= PAGES_EACH:
            sentence = f"At most {PAGES_EACH} pages of yours can be open at once."
            await JSONResponse({"error": sentence, "detail": sentence}, 429)(scope, receive, send)
            return
        counts = [(scope["app"].state_holder.connected, path.removeprefix(_HEARTBEAT))]
        if visitor is not None:
            counts.append((self._heartbeats, visitor))
        for count, key in counts:
            count[key] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            for count, key in counts:
                count[key] -= 1
                if not count[key]:
                    del count[key]


def cheap_sessions(
    ended: Callable[[str], None] = lambda session: None,
) -> Callable[[App], AbstractAsyncContextManager[None]]:
    """The lifespan of the app, for Gradio's `app_kwargs`. ended: called with a session that is discarded."""

    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        blocks = app.get_blocks()
        app.state_holder = Sessions(ended=ended)
        app.state_holder.set_blocks(blocks)
        yield

    return lifespan
