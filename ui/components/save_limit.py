"""How often one visitor may save ratings and marks from the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from ui.access.request import visitor_of
from usam.errors import RequestError

if TYPE_CHECKING:
    from ui.studio.service import Studio

Updates = dict[Any, Any]


def save_limited(
    studio: Studio, handler: Callable[..., Updates], refused: Callable[[str], Updates]
) -> Callable[..., Updates]:
    """The handler, which is only called while its visitor has saves left this minute.

    refused: the updates that show the sentence why not; what was typed stays.
    """

    def limited(request: gr.Request, *values: Any) -> Updates:
        try:
            studio.saves.take(visitor_of(request))
        except RequestError as error:
            return refused(str(error))
        return handler(*values)

    limited.__name__ = getattr(handler, "__name__", "partial")  # Gradio names the event after it
    return limited
