"""The inspector on the page: the viewer as a component, and what stands in its place without a trace."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui import render
from ui.inspector.assets import asset, script
from ui.inspector.payload import as_json, payload
from ui.visit import Entry

log = logging.getLogger(__name__)

Updates = dict[Any, Any]

# Saves what `export` answered as a file.
SAVE_JS = """(file) => {
  if (!file) return;
  const bytes = Uint8Array.from(atob(file.content), (character) => character.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: file.mime }));
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}"""


@dataclass(frozen=True)
class InspectorPanel:
    """notice: what stands in the viewer's place without a trace. saved: the latest file asked for."""

    notice: gr.HTML
    viewer: gr.HTML
    saved: gr.JSON


def inspector_panel() -> InspectorPanel:
    notice = gr.HTML(render.EMPTY_FIGURE)
    viewer = gr.HTML(
        "",
        html_template=asset("template.html"),
        css_template=asset("viewer.css"),
        js_on_load=script("gradio.js"),
        apply_default_css=False,
        elem_id="viewer",
    )
    return InspectorPanel(notice, viewer, gr.JSON(visible=False))


def trace_shown(panel: InspectorPanel, entry: Entry | None) -> Updates:
    """The viewer for an answer. A trace that cannot be sent costs only itself."""
    if entry is None:
        return trace_hidden(panel, render.EMPTY_FIGURE)
    try:
        return {panel.notice: "", panel.viewer: as_json(payload(entry))}
    except Exception:
        log.exception("the trace of an answer could not be prepared for the viewer")
        sentence = "The trace could not be drawn. The answer is complete."
        return trace_hidden(panel, render.fault(sentence))


def trace_hidden(panel: InspectorPanel, notice: str) -> Updates:
    return {panel.notice: notice, panel.viewer: ""}
