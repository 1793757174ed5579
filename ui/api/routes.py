"""Offers the endpoints by their names to `gradio_client`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.api.endpoints import Endpoints
from ui.components.uploads import uploads_only
from ui.server.queues import MODEL, STUDY
from ui.studio.service import Studio
from usam.interpretability.deletion import SEEDS
from usam.schema.tasks import TASKS


def add_endpoints(studio: Studio) -> None:
    """Add /ask, /intervene, /deletion_test, /attribute, /replay, /rate, /compare and /trace. Called inside
    a `gr.Blocks` context.

    On purpose no others: whoever reaches the app reaches these. What belongs to whoever runs it, such as
    backup and forgetting others, is on the command line (`python -m storage`), and exports need access to the
    Dashboard. `ui.api.mcp` offers fewer.
    """
    endpoints = Endpoints(studio)
    # Real components, unlike gr.api's, check that a client's file is one it uploaded.
    with gr.Row(visible=False):
        audio = uploads_only(gr.Audio(type="filepath", label="audio"))
        question = gr.Textbox(label="question")
        task = gr.Dropdown(list(TASKS), value="qa", label="task")
        answer = gr.Textbox(label="answer_id")
        change = gr.JSON(label="change")
        reference = gr.Textbox(label="reference")
        seeds = gr.Number(SEEDS, precision=0, label="seeds")
        threshold = gr.Number(None, label="threshold")
        result = gr.JSON(label="answer")
        button = gr.Button()
    button.click(
        endpoints.ask,
        [audio, question, task],
        result,
        api_name="ask",
        concurrency_id=MODEL,
        concurrency_limit=studio.settings.at_once,
    )
    trial: dict[str, Any] = {"outputs": result, "concurrency_id": STUDY, "concurrency_limit": 1}
    changed = [answer, change, audio, threshold]
    button.click(endpoints.intervene, changed, api_name="intervene", **trial)
    tested = [answer, audio, reference, seeds, threshold]
    button.click(endpoints.deletion_test, tested, api_name="deletion_test", **trial)
    button.click(endpoints.attribute, [answer, audio], api_name="attribute", **trial)
    button.click(endpoints.replay, [answer, audio], api_name="replay", **trial)
    # Past the queue, which is full while many wait for the model: a rating must be saved even then.
    gr.api(endpoints.rate, api_name="rate", queue=False)
    gr.api(endpoints.compare, api_name="compare", queue=False)
    gr.api(endpoints.trace, api_name="trace", queue=False)
