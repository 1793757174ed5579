"""What Gradio keeps of each open page, at a small part of the cost.

For every new page, and every new client, Gradio describes all components of the app anew, some 30 ms of
processor time in the loop that all requests wait for. Nothing differs between them at the start.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy

import gradio as gr
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder


class Sessions(StateHolder):
    """Gradio's, but a new session is a copy of a fresh one."""

    def set_blocks(self, blocks: gr.Blocks) -> None:
        super().set_blocks(blocks)
        self._fresh = SessionState(blocks)

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = self._new()
        return super().__getitem__(session_id)

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


@asynccontextmanager
async def cheap_sessions(app: App) -> AsyncIterator[None]:
    """The lifespan of the app, for Gradio's `app_kwargs`."""
    app.state_holder = Sessions()
    app.state_holder.set_blocks(app.get_blocks())
    yield
