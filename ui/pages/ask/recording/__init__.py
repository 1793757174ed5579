"""The panel of a whole recording: its transcript and segments, while it is heard and afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ui.viewer.assets import script

FOLDER = Path(__file__).parent
NOTE_JS = """(annotator) => {
  try {
    return [annotator, sessionStorage.getItem("usam-recording") ?? ""];
  } catch {
    return [annotator, ""]; // the browser denies it
  }
}"""
"""What this tab knows of the recording that is open, for a page that was reloaded."""


@dataclass(frozen=True)
class RecordingPanel:
    """note: gets `NOTE_JS`, once."""

    view: gr.HTML
    note: gr.Textbox


def recording_panel() -> RecordingPanel:
    """The view's properties: `news` of the recording that is open (`payload.news_json`), `earlier`, the
    person's recordings (`payload.earlier_json`), `waveform`, `file`, the one that was asked for, `answer`
    to a question about all of it, and `outcome` of what was done with a rating of one.

    Its events: `looked`, what is new is wanted; `chosen`, an earlier one is to be opened; `stopped`,
    `resumed`, `removed`, `edited`, `waved` and `wanted`, a file; `listed`, the earlier ones are wanted;
    `asked`, a question, and `halted`, its answer is to stop; `rated` and `withdrawn`, a rating
    of an answer."""
    view = gr.HTML(
        "",
        html_template=(FOLDER / "recording.html").read_text(encoding="utf-8"),
        css_template=(FOLDER / "recording.css").read_text(encoding="utf-8"),
        js_on_load=script(FOLDER / "recording.js"),
        apply_default_css=False,
        elem_id="recording",
        news="",
        earlier="",
        waveform="",
        file="",
        answer="",
        outcome="",
    )
    return RecordingPanel(view, gr.Textbox(visible=False, label="recording"))
