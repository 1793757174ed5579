"""The tour for a first visitor: offered once, remembered in the browser, opened again by a button."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

FOLDER = Path(__file__).parent
TOUR_STYLE = FOLDER / "tour.css"


def tour_panel() -> gr.HTML:
    """Runs in the browser alone: it points at what is on the page, and presses the page's own buttons."""
    return gr.HTML(
        "",
        html_template=(FOLDER / "tour.html").read_text(encoding="utf-8"),
        js_on_load=(FOLDER / "tour.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="tour",
    )
