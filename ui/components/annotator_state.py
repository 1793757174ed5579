"""The id that a browser keeps, signed by this installation on the way out and checked on the way in."""

from __future__ import annotations

from abc import ABCMeta
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta

from ui.access.identity import Identity

STORAGE_KEY = "usam-annotator"
MEMORY_STORAGE = Path(__file__).with_name("memory_storage.js")
"""Belongs in the head of every page, which would not open without storage in the browser."""


def annotator_state(identity: Identity) -> gr.BrowserState:
    """Handlers get and return the id itself, "" in the place of one that was not given to this browser.

    Gradio sends every page its encryption key, which therefore cannot keep anyone from sending another id.
    """

    def preprocess(self: gr.BrowserState, payload: Any) -> str:
        return identity.verified(payload)

    def postprocess(self: gr.BrowserState, value: Any) -> str:
        return identity.signed(value) if value else ""

    # A class, because Gradio makes a session's components anew whenever an event leaves them as they are; but
    # not by a `class` statement, for which Gradio writes a stub beside the source.
    members = {"__module__": __name__, "preprocess": preprocess, "postprocess": postprocess}
    kind: Any = ABCMeta.__new__(ComponentMeta, "BrowserState", (gr.BrowserState,), members)
    return kind("", storage_key=STORAGE_KEY, secret=identity.secret)
