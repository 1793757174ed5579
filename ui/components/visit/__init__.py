"""The visit in the browser: what a reload and a restart of the server bring back, texts that were not sent
included, which the server never gets."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

SEND_VISIT_JS = """(annotator) => {
  const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions();
  for (const storage of [() => sessionStorage, () => localStorage]) {
    try {
      const visit = storage().getItem("usam-visit");
      if (visit) return [annotator, JSON.stringify({ ...JSON.parse(visit), zone })];
    } catch {
      continue; // the browser denies it, or it was tampered with
    }
  }
  return [annotator, JSON.stringify({ zone })];
}"""
"""Sends it along when the page is opened, with the browser's time zone."""
RATED_JS = """(status) => {
  if (status.includes('class="saved"')) dispatchEvent(new Event("usam-rated"));
}"""
"""The rating that the page shows is stored: no draft of it is left. Of its status."""
FORGET_JS = """() => {
  dispatchEvent(new Event("usam-forget"));
  return "";
}"""
"""Forgets what was typed; for the question's box."""


def visit_note() -> gr.HTML:
    """Its value is `ui.studio.visit.note_of` the visit, which the browser keeps; nothing of it shows."""
    return gr.HTML(
        "",
        html_template="<span hidden></span>",
        js_on_load=Path(__file__).with_name("visit.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="visit",
    )
