"""Shows why nothing is recorded. Gradio's recorder shows nothing when the browser gives it no microphone."""

import json

import gradio as gr

from ui.components import messages

REFUSED = "The browser did not allow the microphone. Allow it in the site's settings beside the address."
ABSENT = "No microphone was found. Connect one, or upload a file."
INSECURE = "Browsers give a microphone only to pages on HTTPS or localhost. Upload a file instead."

_JS = """
const sentences = %s;
const why = message =>
  !window.isSecureContext ? 'insecure' : /denied|allowed|dismissed/i.test(message) ? 'refused' : 'absent';
window.addEventListener('unhandledrejection', event => {
  const message = String(event.reason?.message);
  if (!/accessing the microphone/i.test(message)) return;
  event.preventDefault();
  props.value = sentences[why(message)];
});
document.addEventListener('click', event => {
  if (event.target.closest('#clip')) props.value = '';
}, true);
"""


def microphone_notice() -> gr.HTML:
    """Empty until a recording cannot begin; empty again with the next click in the clip panel."""
    sentences = {"refused": REFUSED, "absent": ABSENT, "insecure": INSECURE}
    faults = {name: messages.fault(sentence) for name, sentence in sentences.items()}
    return gr.HTML("", js_on_load=_JS % json.dumps(faults), elem_id="microphone")
