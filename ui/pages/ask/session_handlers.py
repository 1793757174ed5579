"""What follows an answer: ask more, ask again, look at another one, take it away as a file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import gradio as gr

from storage.annotation.spans import Spans
from ui.access.request import page_of
from ui.inspector.panel import trace_shown
from ui.pages.ask.comparison import comparison_ready
from ui.pages.ask.display import Display
from ui.pages.ask.history import history_shown
from ui.pages.ask.question import context_shown, placeholder
from ui.report.export import export
from ui.studio.service import Studio
from ui.studio.session import Session, SessionAnswer
from ui.what_if.findings import Findings

log = logging.getLogger(__name__)

Updates = dict[Any, Any]


class SessionHandlers:
    """What differs between visitors is in the arguments."""

    def __init__(self, display: Display, player: gr.Audio, studio: Studio) -> None:
        """player: gets back the clip of the answer that is shown."""
        self.display = display
        self.player = player
        self.studio = studio

    def follow_up(self, source: str | None, session: Session) -> Updates:
        session = session.follow_up()
        text = gr.Textbox(placeholder="Ask more about the same clip")
        return {
            self.display.session: session,
            self.display.question.task: "qa",
            self.display.question.text: text,
            **self._clip_of(session.current, source),
            **context_shown(self.display.question, session),
        }

    def edit(self, source: str | None, session: Session) -> Updates:
        session = session.edit()
        if session.current is None:
            return self.display.lost()
        return {
            self.display.session: session,
            self.display.question.task: session.current.answer.task,
            self.display.question.text: session.current.answer.question,
            **self._clip_of(session.current, source),
            **context_shown(self.display.question, session),
        }

    def fresh(self, task: str, session: Session) -> Updates:
        return {self.display.question.text: placeholder(task), **self.display.unlinked(session)}

    def reopen(
        self, source: str | None, key: str, session: Session, annotator: str, request: gr.Request
    ) -> Updates:
        """Show an earlier answer with its picture, its rating and its clip."""
        self.studio.running_experiments.stop(page_of(request))  # it is of the answer that was on display
        session = session.show(key)
        entry = session.current
        if entry is None:
            return self.display.lost()
        return {
            **self.display.shown(session, annotator),
            **self._clip_of(entry, source),
            **comparison_ready(self.display.comparison, session),
            self.display.session: session,
            self.display.answer.notice: "",
            self.display.question.task: entry.answer.task,
            self.display.question.text: entry.answer.question,
            **context_shown(self.display.question, session),
        }

    def _clip_of(self, entry: SessionAnswer | None, source: str | None) -> Updates:
        """Put the answer's clip back in the player, unless `source` is it or its file is gone."""
        if entry is None or entry.source == source or not Path(entry.source).is_file():
            return {}
        return {self.player: entry.source}

    def compare(self, against: str, session: Session) -> Updates:
        return trace_shown(self.display.inspector, session, self.display.measured_of, against)

    def other_shown(self, arrived: SessionAnswer | None, session: Session) -> Updates:
        """Add another model's answer to the current session, compared with the one on display."""
        if arrived is None:
            return gr.skip()  # Gradio takes an empty dict for a lack of values
        session = session.keep(arrived)
        return {
            **trace_shown(self.display.inspector, session, self.display.measured_of, arrived.key),
            **history_shown(self.display.history, session),
            self.display.session: session,
            self.display.what_if.new_answer: None,
        }

    def file_asked(self, session: Session, found: Findings, annotator: str, event: gr.EventData) -> Updates:
        """The file that a button of the viewer asks for."""
        entry = session.current
        if entry is None:
            return self.display.lost()
        try:
            feedback, id_ = self.studio.feedback, entry.answer_id
            rating = feedback.rating(id_, annotator) if id_ else None
            spans = Spans(feedback.database).of(id_, annotator) if id_ else []
            measured_of = self.display.measured_of
            file = export(entry, event.kind, rating, found, spans, dark=event.dark, measured_of=measured_of)
        except Exception as error:
            log.exception("an export failed")
            raise gr.Error("The file could not be made. The server's log says why.") from error
        return {self.display.inspector.saved: file.to_json()}
