"""Sentences shown on several pages, as HTML."""

from __future__ import annotations

from ui.access.admin import LockedError
from ui.pages.ask import render


def refusal_html(refusal: Exception) -> str:
    """Why a page stays closed, or what went wrong. Whoever only opened it did nothing wrong."""
    return (render.status if isinstance(refusal, LockedError) else render.fault)(str(refusal))
