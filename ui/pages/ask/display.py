"""The panels about the answer on display, filled together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from storage import Feedback
from ui.components import messages
from ui.components.rating import RatingPanel, rating_hidden, rating_shown
from ui.inspector.panel import WAITING_FIGURE, InspectorPanel, trace_hidden, trace_shown
from ui.inspector.payload import MeasuredOf
from ui.pages.ask import render
from ui.pages.ask.answer import AnswerPanel, answer_shown
from ui.pages.ask.comparison import ComparisonPanel, comparison_ready
from ui.pages.ask.history import HistoryPanel, history_shown
from ui.pages.ask.question import QuestionPanel, context_shown
from ui.studio.clips import ClipCache
from ui.studio.session import Session
from ui.studio.stored_answers import same_clip
from ui.what_if.panel import WhatIfPanel, what_if_hidden, what_if_shown

Updates = dict[Any, Any]


@dataclass(frozen=True)
class Display:
    """session: holds a `Session`.  measured_of: what the evaluation of a model's checkpoint found about its
    router."""

    session: gr.State
    question: QuestionPanel
    answer: AnswerPanel
    inspector: InspectorPanel
    what_if: WhatIfPanel
    rating: RatingPanel
    comparison: ComparisonPanel
    history: HistoryPanel
    feedback: Feedback
    clips: ClipCache
    measured_of: MeasuredOf

    def shown(self, session: Session, annotator: str) -> Updates:
        """Every panel for the answer on display."""
        return {
            **answer_shown(self.answer, session.current),
            **trace_shown(self.inspector, session, self.measured_of),
            **what_if_shown(self.what_if, session.current, self.measured_of),
            **rating_shown(self.rating, self.feedback, session.current, annotator),
            **history_shown(self.history, session),
        }

    def writing(self, thread: str) -> Updates:
        """An answer is being written: the panels about the one before it make way."""
        return {
            self.answer.thread: thread,
            self.answer.meters: "",
            self.answer.actions: gr.update(visible=False),
            **trace_hidden(self.inspector, WAITING_FIGURE),
            **what_if_hidden(self.what_if),
            **rating_hidden(self.rating),
        }

    def restored(self, session: Session, annotator: str) -> Updates:
        """Every panel as it was before a question that got no answer, with an unsaved rating and the
        experiments on the answer."""
        shown, tried = self.shown(session, annotator), self.what_if
        kept = [*self.rating.fields, *tried.results, tried.reference]
        return {block: update for block, update in shown.items() if block not in kept}

    def beside(self, source: str | None, session: Session, annotator: str) -> Updates:
        """What the clip in the player, a file, makes of the answer on display: one about another clip, which
        is not compared with anything; or, where its audio was not kept and is here again, one that can be
        drawn, played and tried on."""
        entry = session.current
        if entry is None:
            return {self.answer.stale: ""}
        audio = same_clip(entry, source, self.clips)
        stale = bool(source) and audio is None
        line = {self.answer.stale: render.stale(entry.clip_name) if stale else ""}
        if audio and source and entry.audio is None:
            session = session.heard_again(audio, source)
            return {
                **self.restored(session, annotator),
                **comparison_ready(self.comparison, session),
                self.session: session,
                **line,
            }
        start = gr.Button(interactive=entry.audio is not None and not stale)
        return {**line, self.comparison.start: start}

    def cleared(self, session: Session, annotator: str) -> Updates:
        """The page as for a newcomer, but for the clip in the player."""
        session = Session(zone=session.zone)
        return {
            **self.shown(session, annotator),
            **comparison_ready(self.comparison, session),
            **self.unlinked(session),
            self.answer.notice: "",
        }

    def unlinked(self, session: Session) -> Updates:
        """The next question stands alone."""
        return {self.session: session.fresh(), **context_shown(self.question, session.fresh())}

    def lost(self) -> Updates:
        """The browser still shows an answer from before a restart of the server."""
        return {self.answer.notice: messages.fault(messages.LOST)}
