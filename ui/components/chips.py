"""A row of buttons of one kind, such as examples and suggestions."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr


def chip_row(kind: str, labels: Sequence[str]) -> gr.Dataset:
    """Its value is the index of the button that was pressed."""
    return gr.Dataset(
        label=kind,
        components=["textbox"],
        samples=[[label] for label in labels],
        type="index",
        layout="gallery",
        min_width=90,
        elem_classes=["examples"],
    )
