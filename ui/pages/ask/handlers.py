"""Asking: a question waits for its turn, and its answer is written into the page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from ui.access.request import page_of, visitor_of
from ui.components import messages
from ui.components.turns import take_turn
from ui.engines.loader import LoadState
from ui.pages.ask import render
from ui.pages.ask.answer import answer_shown
from ui.pages.ask.clip import ChosenClip
from ui.pages.ask.comparison import comparison_ready
from ui.pages.ask.display import Display
from ui.pages.ask.question import busy, context_shown
from ui.studio.service import AskRequest, ClipLoaded, Studio, retry_of
from ui.studio.session import Session
from ui.studio.stored_answers import audio_of
from usam.errors import UsamError
from usam.schema.events import Encoded, TextDelta
from usam.schema.tasks import TASKS

Updates = dict[Any, Any]

REDRAW_SECONDS = 0.1
"""Tokens come faster than people read; each redraw costs time that the model could use."""


class AskHandlers:
    """What differs between visitors is in the arguments."""

    def __init__(self, display: Display, studio: Studio) -> None:
        self.display = display
        self.studio = studio
        self.longest = studio.settings.max_seconds

    def reserve(self, request: gr.Request) -> Updates:
        take_turn(self.studio, page_of(request), visitor_of(request))
        self.studio.running_experiments.stop(page_of(request))  # it is of the answer that is about to go
        return {
            **busy(self.display.question, True),
            self.display.answer.notice: "",
            self.display.answer.heard: messages.status("Waiting for the model…"),
        }

    def release(self, source: str | None, session: Session, annotator: str, request: gr.Request) -> Updates:
        """The clip in the player may have been changed while the answer was written."""
        self.studio.running.end(page_of(request))
        return {**busy(self.display.question, False), **self.display.beside(source, session, annotator)}

    def stop(self, request: gr.Request) -> Updates:
        self.studio.running.stop(page_of(request))
        return {self.display.question.stop: gr.Button("Stopping…", interactive=False)}

    def ask(
        self,
        source: str | None,
        task: str,
        text: str,
        start: float,
        length: float,
        chosen: ChosenClip,
        keep: bool,
        seed: float,
        temperature: float,
        session: Session,
        annotator: str,
        request: gr.Request,
    ) -> Iterator[Updates]:
        """Ask about the clip on the page, or, in a follow-up, about the clip of the answer it follows."""
        tied = session.context_entry
        try:
            tied_audio = audio_of(tied, source, self.studio.clips) if tied else None
        except UsamError as error:
            yield {self.display.answer.notice: messages.fault(str(error)), self.display.answer.heard: ""}
            return
        begin, end = chosen.span(start, length, self.longest) if chosen.source == source else (None, None)
        question = AskRequest(
            text=text or "",  # a program may send nothing in place of a text
            task=task,
            source=tied.source if tied else source,
            audio=tied_audio,
            start=begin,
            end=end,
            history=session.context,
            seed=int(seed or 0),
            temperature=temperature,
            parent=tied.answer_id if tied else None,
            keep_audio=keep,
            clip_name=tied.clip_name if tied else "",
        )
        yield from self._answer(question, session, annotator, request)

    def retry(
        self, source: str | None, keep: bool, session: Session, annotator: str, request: gr.Request
    ) -> Iterator[Updates]:
        entry = session.current
        if entry is None:
            yield {**self.display.lost(), self.display.answer.heard: ""}
            return
        try:
            entry = replace(entry, audio=audio_of(entry, source, self.studio.clips))
        except UsamError as error:
            yield {self.display.answer.notice: messages.fault(str(error)), self.display.answer.heard: ""}
            return
        yield from self._answer(retry_of(entry, session.unused_seed, keep), session, annotator, request)

    def _answer(
        self, question: AskRequest, session: Session, annotator: str, request: gr.Request
    ) -> Iterator[Updates]:
        """Stream the answer into the page. After a failure the page is as before, plus one sentence."""
        question = replace(question, visitor=visitor_of(request))
        display, stop = self.display, self.studio.running.stop_event(page_of(request))
        asked = question.text.strip() or TASKS[question.task].prompt
        draw = partial(render.thread, question.history, asked)
        text, entry, due = "", None, 0.0
        yield self.display.writing(draw("", writing=True))
        try:
            for event in self.studio.ask(question, annotator, stop):
                if isinstance(event, LoadState):
                    yield {display.answer.heard: render.waiting(event)}
                elif isinstance(event, ClipLoaded):
                    yield {display.answer.heard: messages.status("Listening…")}
                elif isinstance(event, Encoded):
                    yield {display.answer.heard: render.heard(event.heard)}
                elif isinstance(event, TextDelta):
                    text += event.text
                    if time.monotonic() >= due:
                        due = time.monotonic() + REDRAW_SECONDS
                        yield {display.answer.thread: draw(text, writing=True)}
                else:
                    entry = event
        except UsamError as error:
            yield {
                **display.restored(session, annotator),
                display.answer.notice: messages.fault(str(error)),
            }
            return
        if entry is None:
            stopped = messages.status("Stopped before the first word.")
            yield {**display.restored(session, annotator), display.answer.notice: stopped}
            return
        yield answer_shown(display.answer, entry)  # the words first, the picture takes a moment
        session = session.add(entry)
        yield {
            **self.display.shown(session, annotator),
            display.session: session,
            **context_shown(display.question, session),
            **comparison_ready(display.comparison, session),
        }
