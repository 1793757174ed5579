"""Says on the page when its server cannot be reached, and takes the page up again when it can."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

FOLDER = Path(__file__).parent
LOST = "Connection to the server lost. Trying again; nothing on this page is lost."


def connection_notice() -> gr.HTML:
    """Runs in the browser alone, which asks the server every other second whether it is there."""
    return gr.HTML(
        "",
        html_template=f'<p class="fault connection" role="alert" data-text="{LOST}"></p>',
        js_on_load=(FOLDER / "connection.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="connection",
    )
