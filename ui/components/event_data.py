"""What a component's script sends along with its events; all of it is untrusted."""

from __future__ import annotations

from typing import Any

import gradio as gr


def value_of(sent: gr.EventData, name: str) -> Any:
    """None where the event does not carry it, or is not an event of the script."""
    try:
        return getattr(sent, name, None)
    except TypeError:
        return None
