"""A session that is copied is what Gradio would have made."""

from datetime import datetime

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from ui.server.session_state import RECENT, Sessions, sessions_of


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
    with sessions_of(None):
        assert made(sessions["someone"]) == made(SessionState(blocks))
    assert blocks.state_holder is sessions


def test_what_one_page_holds_is_not_another_s(blocks: gr.Blocks) -> None:
    sessions = Sessions()
    sessions.set_blocks(blocks)
    text, state = (
        next(k for k, b in blocks.blocks.items() if isinstance(b, kind)) for kind in (gr.Textbox, gr.State)
    )
    with sessions_of("203.0.113.7"):
        mine = sessions["me"]
    mine._update_value_in_config(text, "mine")
    mine[state] = ["mine"]
    mine[text] = gr.Textbox("mine", visible=False, render=False)
    assert sessions["me"] is mine
    assert made(sessions["you"]) == made(SessionState(blocks))


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def sessions(blocks: gr.Blocks, ended: list[str]) -> Sessions:
    sessions = Sessions(each=4, ended=ended.append)
    sessions.set_blocks(blocks)
    return sessions


def begin(sessions: Sessions, visitor: str | None, *names: str) -> None:
    with sessions_of(visitor):
        for name in names:
            sessions[name]


def old(sessions: Sessions, *names: str) -> None:
    """Their last event was a while ago."""
    for name in names:
        sessions.time_last_used[name] = datetime.now() - 2 * RECENT


def test_sessions_that_a_visitor_makes_up_cost_their_own_share(sessions: Sessions, ended: list[str]) -> None:
    begin(sessions, "victim", "page")
    old(sessions, "page")
    begin(sessions, "attacker", *(f"made up {number}" for number in range(300)))
    assert "page" in sessions
    assert len(sessions.session_data) == 5
    assert ended == [f"made up {number}" for number in range(296)]
    assert set(sessions.time_last_used) == set(sessions.session_data)


def test_many_visitors_take_no_page_that_is_in_use(sessions: Sessions) -> None:
    begin(sessions, "victim", "page", "closed")
    old(sessions, "page", "closed")
    sessions.connected["page"] = 1
    for number in range(12):
        begin(sessions, f"attacker {number // 4}", f"made up {number}")
    assert len(sessions.session_data) == 10
    assert "page" in sessions
    assert "closed" not in sessions


def test_who_has_the_most_makes_room(sessions: Sessions) -> None:
    for visitor in ("a", "b", "c", "d", "e", "f", "g"):
        begin(sessions, visitor, f"{visitor} 1")
    begin(sessions, "greedy", "greedy 1", "greedy 2", "greedy 3")
    begin(sessions, "h", "h 1")
    assert "greedy 1" not in sessions
    assert len(sessions.session_data) == 10


def test_a_page_in_use_outlives_the_visitor_s_own_that_are_not(sessions: Sessions) -> None:
    begin(sessions, "someone", "open", "closed", "other", "another")
    old(sessions, "open", "closed")
    sessions.connected["open"] = 1
    begin(sessions, "someone", "new")
    assert "open" in sessions
    assert "closed" not in sessions


def test_whoever_runs_the_app_has_no_share_but_the_whole(sessions: Sessions) -> None:
    begin(sessions, None, *(f"page {number}" for number in range(10)))
    assert len(sessions.session_data) == 10


def test_a_session_that_no_event_began_is_not_kept(sessions: Sessions, ended: list[str]) -> None:
    for number in range(300):
        sessions[f"named {number}"]
    assert not sessions.session_data
    assert not ended
