"""Who sent a request, as far as the app needs to know."""

from __future__ import annotations

import gradio as gr


def page_of(request: gr.Request) -> str:
    """A page is known by its session."""
    return request.session_hash or ""


def visitor_of(request: gr.Request | None) -> str | None:
    """The address that a request comes from."""
    return request.client.host if request and request.client else None
