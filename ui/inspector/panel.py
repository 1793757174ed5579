"""The inspector on the page: the viewer as a component, and what stands in its place without a trace."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.components import messages
from ui.inspector.payload import MeasuredOf, viewer_json
from ui.studio.session import Session, SessionAnswer
from ui.studio.stored_answers import NOT_KEPT
from ui.viewer.assets import FOLDER, asset, script, style

log = logging.getLogger(__name__)

Updates = dict[Any, Any]

EMPTY_FIGURE = """<div class="empty"><p>After an answer, this shows what happened inside.</p>
<p class="hint">Time runs to the right: the spectrogram, which expert each audio token went to, and which
tokens the model found redundant.</p></div>"""

WAITING_FIGURE = '<div class="empty waiting" role="status"><p>The picture follows the answer.</p></div>'

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
    """notice: what stands in the viewer's place without a trace. against: another answer of the session to
    compare with. saved: the latest file asked for. The viewer's properties: `attribution`
    of the answer's words to the tokens (`attribution_json`), `player`, the clip in the page's player
    (`source_name`), `annotations`, what the person marked and judged in the picture (`annotations_of`),
    `router`, its state when the model had loaded (`router_json`)."""

    notice: gr.HTML
    against: gr.Dropdown
    viewer: gr.HTML
    saved: gr.JSON


def inspector_panel() -> InspectorPanel:
    notice = gr.HTML(EMPTY_FIGURE)
    against = gr.Dropdown([], label="Compare with", visible=False, elem_id="against")
    viewer = gr.HTML(
        "",
        html_template=asset("template.html"),
        css_template=style(),
        js_on_load=script(FOLDER / "gradio.js"),
        apply_default_css=False,
        elem_id="viewer",
        attribution="",
        player="",
        annotations="",
        router="",
    )
    return InspectorPanel(notice, against, viewer, gr.JSON(visible=False))


def trace_shown(
    panel: InspectorPanel, session: Session, measured_of: MeasuredOf, against: str | None = None
) -> Updates:
    """The viewer for the answer on display, compared with the one whose key is `against`. A trace that
    cannot be sent costs only itself.

    measured_of: what the evaluation of a model's checkpoint found about its router.
    """
    entry = session.current
    if entry is None:
        return trace_hidden(panel, EMPTY_FIGURE)
    others = [
        (_choice_label(other, entry, session), other.key)
        for other in reversed(session.entries)
        if other is not entry
    ]
    choices = [("nothing", ""), *others]
    try:
        return {
            panel.notice: "" if entry.clip else messages.status(NOT_KEPT),
            panel.against: gr.Dropdown(choices=choices, value=against or "", visible=bool(others)),
            panel.viewer: viewer_json(entry, session.entry(against), measured_of),
        }
    except Exception:
        log.exception("the trace of an answer could not be prepared for the viewer")
        sentence = "The trace could not be drawn. The answer is complete."
        return trace_hidden(panel, messages.fault(sentence))


def _choice_label(other: SessionAnswer, entry: SessionAnswer, session: Session) -> str:
    """Another answer in the list, with its model where that is another one."""
    one, two = other.answer.model, entry.answer.model
    model = "" if one.same_as(two) else f" · {one.preset}, {one.quantization}"
    return other.label(session.zone).replace("\n", " · ") + model


def trace_hidden(panel: InspectorPanel, notice: str) -> Updates:
    return {panel.notice: notice, panel.against: gr.Dropdown(visible=False), panel.viewer: ""}
