"""Lets only admins do what the Projects page does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import StorageError
from ui.components import messages
from usam.errors import RequestError

if TYPE_CHECKING:
    from ui.access.admin import AdminGate

Updates = dict[Any, Any]


def for_admins(
    gate: AdminGate,
    typed: str,
    request: gr.Request,
    profile: gr.OAuthProfile | None,
    step: Callable[[], Updates],
    place: Any,
) -> Updates:
    """What the step shows; in `place` why not."""
    try:
        gate.require(typed, request, profile)
        return step()
    except (RequestError, StorageError) as refusal:
        return {place: messages.refusal_html(refusal)}
