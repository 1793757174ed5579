"""A session that is copied is what Gradio would have made."""

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from ui.server.session_state import Sessions


@pytest.fixture
def blocks() -> gr.Blocks:
    with gr.Blocks() as blocks:
        text = gr.Textbox("before")
        gr.State([])
        text.change(lambda text: text, text, text, api_name="same")
    blocks.state_session_capacity = 10
    return blocks


def made(session: SessionState) -> dict:
    """Everything that a session holds."""
    config = vars(session.blocks_config)
    return {**vars(session), "blocks_config": {name: config[name] for name in ("blocks", "fns", "fn_id")}}


def test_a_new_session_is_as_gradio_makes_it(blocks: gr.Blocks) -> None:
    sessions = Sessions()
    sessions.set_blocks(blocks)
    assert made(sessions["someone"]) == made(SessionState(blocks))
    assert blocks.state_holder is sessions


def test_what_one_page_holds_is_not_another_s(blocks: gr.Blocks) -> None:
    sessions = Sessions()
    sessions.set_blocks(blocks)
    text, state = (
        next(k for k, b in blocks.blocks.items() if isinstance(b, kind)) for kind in (gr.Textbox, gr.State)
    )
    mine = sessions["me"]
    mine._update_value_in_config(text, "mine")
    mine[state] = ["mine"]
    mine[text] = gr.Textbox("mine", visible=False, render=False)
    assert sessions["me"] is mine
    assert made(sessions["you"]) == made(SessionState(blocks))
