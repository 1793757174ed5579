"""The signature of the id that a browser keeps is checked whatever happened to the page before."""

import asyncio
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState

from ui.access.identity import Identity
from ui.components.annotator_state import annotator_state


def test_an_event_that_leaves_the_id_alone_leaves_its_check_on() -> None:
    identity = Identity("secret")
    seen = []
    with gr.Blocks() as demo:
        annotator, box = annotator_state(identity), gr.Textbox()
        leaving = demo.load(lambda: {box: "x"}, None, [annotator, box])
        telling = demo.load(seen.append, annotator, None)
        giving = demo.load(lambda: "browser-me", None, annotator)
    session = SessionState(demo)

    def happen(event: Any, *inputs: Any) -> Any:
        return asyncio.run(demo.process_api(demo.fns[event["id"]], list(inputs), session))["data"]

    for _ in range(2):
        happen(telling, "browser-forged")
        happen(telling, identity.signed("browser-me"))
        assert happen(giving) == [identity.signed("browser-me")]
        happen(leaving)
    assert seen == ["", "browser-me"] * 2
