"""One request a page at a time: reserves a page's turn, and refuses what comes meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

if TYPE_CHECKING:
    from ui.studio.service import Studio


def take_turn(studio: Studio, page: str) -> None:
    """Reserve the page for what it is about to ask, before that waits in line, so that Stop works from the
    start. Raises gr.Error where the line is full, or the page still waits for something else."""
    most = studio.settings.max_waiting
    if len(studio.running) >= most:
        line = f"The line is full: {most} wait before you. Please try again in a minute."
        raise gr.Error(line, title="The line is full", print_exception=False)
    if not studio.running.begin(page):
        raise one_at_a_time("The last answer is still being written. Press Stop first.")


def one_at_a_time(sentence: str) -> gr.Error:
    """Refuses what a page asks for while it waits for something else; no fault of the server's."""
    return gr.Error(sentence, title="One at a time", print_exception=False)
