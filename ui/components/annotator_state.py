"""The id that a browser keeps, signed by this installation on the way out and checked on the way in."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.access.identity import Identity
from ui.settings import Settings

STORAGE_KEY = "usam-annotator"


def annotator_state(settings: Settings) -> gr.BrowserState:
    """Handlers get and return the id itself, "" in the place of one that was not given to this browser.

    Gradio tells every page the key that it encrypts with: that keeps nobody from sending another id.
    """
    identity = Identity.of(settings)
    state = gr.BrowserState("", storage_key=STORAGE_KEY, secret=settings.browser_secret())

    def preprocess(payload: Any) -> str:
        return identity.verified(payload)

    def postprocess(value: Any) -> str:
        return identity.signed(value) if value else ""

    # A subclass would say this better, but Gradio writes a stub beside the source of each one.
    state.preprocess = preprocess  # type: ignore[method-assign]
    state.postprocess = postprocess  # type: ignore[method-assign]
    return state
