"""The inspector: the picture of one answer's trace and the table of its numbers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import gradio as gr
import pandas as pd

from ui import render
from ui.visit import Entry
from usam.trace import Trace

log = logging.getLogger(__name__)

Updates = dict[Any, Any]


@dataclass(frozen=True)
class InspectorPanel:
    picture: gr.HTML
    numbers: gr.Accordion
    table: gr.Dataframe


def inspector_panel() -> InspectorPanel:
    picture = gr.HTML(render.EMPTY_FIGURE, elem_id="picture")
    with gr.Accordion("Numbers for every token", open=False, visible=False, elem_id="numbers") as numbers:
        table = gr.Dataframe(
            interactive=False,
            max_height=340,
            show_label=False,
            buttons=["copy"],
            elem_id="table",
        )
    return InspectorPanel(picture, numbers, table)


def numbers_of(trace: Trace) -> pd.DataFrame:
    """One row a token: its times in seconds of the clip, its routing, and its significance with the parts."""
    return pd.DataFrame(
        {
            "from s": round(token.start, 2),
            "to s": round(token.end, 2),
            **{name: round(weight, 3) for name, weight in zip(trace.experts, token.routing, strict=True)},
            "significance": round(token.significance, 3),
            "predictive": round(token.predictive, 3),
            "text relevance": round(token.text_relevance, 3),
            "audio saliency": round(token.audio_saliency, 3),
            "redundant": "yes" if token.redundant else "",
        }
        for token in trace.tokens
    )


def picture_of(entry: Entry, *, dark: bool) -> str:
    """The trace over the spectrogram as HTML with its downloads. A picture that fails costs only itself."""
    from ui.figures import trace_figure  # imports matplotlib: not before it is needed
    from usam.audio import SAMPLE_RATE

    try:
        figure = trace_figure(
            entry.clip.waveform, SAMPLE_RATE, entry.clip.start, entry.answer.trace, dark=dark
        )
        return render.figure(figure, entry.answer, name=f"usam-{entry.key[:8]}")
    except Exception:
        log.exception("the picture of an answer could not be drawn")
        return render.fault("The picture could not be drawn. The answer and its numbers are complete.")


def trace_shown(panel: InspectorPanel, entry: Entry | None, *, dark: bool) -> Updates:
    if entry is None:
        return {panel.picture: render.EMPTY_FIGURE, panel.numbers: gr.Accordion(visible=False)}
    return {
        panel.picture: picture_of(entry, dark=dark),
        panel.numbers: gr.Accordion(visible=True),
        panel.table: numbers_of(entry.answer.trace),
    }
