"""What happens when: joins the page to the studio. Every handler returns updates by component."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from storage import StorageError
from storage.annotation.spans import Spans
from storage.errors import NotFoundError
from ui.access.request import page_of, visitor_of
from ui.components import messages
from ui.components.rating import rating_hidden, rating_shown, save_rating, undo_rating, withdraw_rating
from ui.components.turns import take_turn
from ui.engines.loader import LoadState
from ui.examples import EXAMPLES
from ui.inspector.annotations import Marks, connect_marks
from ui.inspector.panel import SAVE_JS, WAITING_FIGURE, trace_hidden, trace_shown
from ui.inspector.payload import router_json, source_name
from ui.pages.ask import render
from ui.pages.ask.answer import answer_shown
from ui.pages.ask.clip import ChosenClip, clip_chosen, no_clip
from ui.pages.ask.comparison import ComparisonHandlers, comparison_ready, connect_comparison
from ui.pages.ask.history import history_shown
from ui.pages.ask.page import Page
from ui.pages.ask.privacy import connect_privacy
from ui.pages.ask.question import busy, context_shown, placeholder
from ui.report.export import export
from ui.server.queues import MODEL
from ui.studio.service import AskRequest, ClipLoaded, Studio, retry_of
from ui.studio.session import Session, SessionAnswer
from ui.studio.stored_answers import LINK, audio_of, load_stored_answer
from ui.what_if.findings import Findings
from ui.what_if.handlers import connect_what_if
from ui.what_if.panel import what_if_hidden, what_if_shown
from usam.errors import UsamError
from usam.schema.events import Encoded, TextDelta
from usam.schema.tasks import TASKS

log = logging.getLogger(__name__)

REDRAW_SECONDS = 0.1
"""Tokens come faster than people read; each redraw costs time that the model could use."""
NO_SUCH_ANSWER = (
    "There is no answer under this link here: it was deleted, or given on another server. "
    "You can ask about a clip of your own."
)
Updates = dict[Any, Any]

_FOCUS_QUESTION_JS = "() => setTimeout(() => document.querySelector('#question textarea')?.focus(), 80)"


class AskHandlers:
    """The handlers of one page layout; what differs between visitors is in the arguments."""

    def __init__(self, page: Page, studio: Studio) -> None:
        self.page = page
        self.studio = studio
        self.longest = studio.settings.max_seconds

    # Opening and loading

    def opened(self, annotator: str, request: gr.Request, profile: gr.OAuthProfile | None = None) -> Updates:
        """A page was opened: give the browser its random id, once, or the account's, and say how far the
        model is. A link to a stored answer shows it."""
        annotator = self.studio.identity.annotator(annotator, request, profile)
        linked = request.query_params.get(LINK)
        shown = self._linked(linked, annotator) if linked else {}
        who = render.signed_in(self.studio.identity.account(request))
        return {self.page.annotator: annotator, self.page.who: who, **self.load_state(), **shown}

    def _linked(self, answer_id: str, annotator: str) -> Updates:
        try:
            entry = load_stored_answer(self.studio.feedback, answer_id, self.studio.clips)
        except NotFoundError:
            return {self.page.answer.notice: messages.status(NO_SUCH_ANSWER)}
        except (StorageError, UsamError) as error:
            return {self.page.answer.notice: messages.fault(str(error))}
        session = Session().add(entry)
        return {
            **answer_shown(self.page.answer, entry),
            **self._shown(session, annotator),
            self.page.session: session,
            self.page.question.task: entry.answer.task,
        }

    def load_state(self) -> Updates:
        state = self.studio.loader.state
        return {self.page.banner: render.banner(state), self.page.loading: gr.Timer(active=not state.ready)}

    def router_reported(self) -> Updates:
        """Once the model has loaded, the viewer gets the router's state."""
        router = self.studio.router()
        return {self.page.inspector.viewer: gr.HTML(router=router_json(router)) if router else gr.skip()}

    # The clip

    def clip_changed(self, source: str | None, session: Session) -> Updates:
        """A clip was recorded, uploaded, trimmed or removed. Another clip ends the conversation."""
        tied = session.context_entry
        changed = self._untied(session) if tied and tied.source != source else {}
        changed[self.page.answer.notice] = ""
        changed[self.page.inspector.viewer] = gr.HTML(player=source_name(source))
        if not source:
            return {**no_clip(self.page.clip), **changed}
        try:
            audio = self.studio.clips.load(source)
        except UsamError as error:
            return {**no_clip(self.page.clip, messages.fault(str(error))), **changed}
        return {**clip_chosen(self.page.clip, source, audio.heard, self.longest), **changed}

    def span_changed(self, start: float, length: float, timed: ChosenClip, session: Session) -> Updates:
        begin, end = timed.span(start, length, self.longest)
        line = render.will_hear(begin or 0.0, end or timed.duration, timed.duration, self.longest)
        return {self.page.clip.outlook: line, **self._untied(session)}

    def _untied(self, session: Session) -> Updates:
        """The next question stands alone."""
        return {self.page.session: session.fresh(), **context_shown(self.page.question, session.fresh())}

    def example_chosen(self, kind: str, index: int, session: Session) -> Updates:
        examples = EXAMPLES[kind]
        if not isinstance(index, int) or not 0 <= index < len(examples):
            raise gr.Error("There is no such example.", print_exception=False)
        example = examples[index]
        return {
            **self._untied(session),
            self.page.clip.audio: example.path,
            self.page.question.task: example.task,
            self.page.question.text: gr.Textbox(example.question, placeholder=TASKS[example.task].prompt),
        }

    # Asking

    def task_changed(self, task: str) -> Updates:
        return {self.page.question.text: placeholder(task)}

    def reserve(self, request: gr.Request) -> Updates:
        take_turn(self.studio, page_of(request))
        self.studio.running_experiments.stop(page_of(request))  # it is of the answer that is about to go
        return {
            **busy(self.page.question, True),
            self.page.answer.notice: "",
            self.page.answer.heard: messages.status("Waiting for the model…"),
        }

    def release(self, request: gr.Request) -> Updates:
        self.studio.running.end(page_of(request))
        return busy(self.page.question, False)

    def stop(self, request: gr.Request) -> Updates:
        self.studio.running.stop(page_of(request))
        return {self.page.question.stop: gr.Button("Stopping…", interactive=False)}

    def left(self, request: gr.Request) -> None:
        """The page was closed: do not write an answer for nobody."""
        self.studio.running.end(page_of(request))
        self.studio.running_experiments.end(page_of(request))

    def ask(
        self,
        source: str | None,
        task: str,
        text: str,
        start: float,
        length: float,
        timed: ChosenClip,
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
            yield {self.page.answer.notice: messages.fault(str(error)), self.page.answer.heard: ""}
            return
        begin, end = timed.span(start, length, self.longest) if timed.source == source else (None, None)
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
        )
        yield from self._answer(question, session, annotator, request)

    def retry(
        self, source: str | None, keep: bool, session: Session, annotator: str, request: gr.Request
    ) -> Iterator[Updates]:
        entry = session.current
        if entry is None:
            yield {**self._lost(), self.page.answer.heard: ""}
            return
        try:
            entry = replace(entry, audio=audio_of(entry, source, self.studio.clips))
        except UsamError as error:
            yield {self.page.answer.notice: messages.fault(str(error)), self.page.answer.heard: ""}
            return
        yield from self._answer(retry_of(entry, session.unused_seed, keep), session, annotator, request)

    def _answer(
        self, question: AskRequest, session: Session, annotator: str, request: gr.Request
    ) -> Iterator[Updates]:
        """Stream the answer into the page. After a failure the page is as before, plus one sentence."""
        question = replace(question, visitor=visitor_of(request))
        page, stop = self.page, self.studio.running.stop_event(page_of(request))
        asked = question.text.strip() or TASKS[question.task].prompt
        draw = partial(render.thread, question.history, asked)
        text, entry, due = "", None, 0.0
        yield self._writing(draw("", writing=True))
        try:
            for event in self.studio.ask(question, annotator, stop):
                if isinstance(event, LoadState):
                    yield {page.answer.heard: render.waiting(event)}
                elif isinstance(event, ClipLoaded):
                    yield {page.answer.heard: messages.status("Listening…")}
                elif isinstance(event, Encoded):
                    heard = event.heard
                    yield {page.answer.heard: render.heard(heard.start, heard.end, heard.duration)}
                elif isinstance(event, TextDelta):
                    text += event.text
                    if time.monotonic() >= due:
                        due = time.monotonic() + REDRAW_SECONDS
                        yield {page.answer.thread: draw(text, writing=True)}
                else:
                    entry = event
        except UsamError as error:
            yield {**self._restored(session, annotator), page.answer.notice: messages.fault(str(error))}
            return
        if entry is None:
            stopped = messages.status("Stopped before the clip was heard.")
            yield {**self._restored(session, annotator), page.answer.notice: stopped}
            return
        yield answer_shown(page.answer, entry)  # the words first, the picture takes a moment
        session = session.add(entry)
        yield {
            **self._shown(session, annotator),
            page.session: session,
            **context_shown(page.question, session),
            **comparison_ready(page.comparison, session),
        }

    def _writing(self, thread: str) -> Updates:
        page = self.page
        return {
            page.answer.thread: thread,
            page.answer.meters: "",
            page.answer.actions: gr.Row(visible=False),
            **trace_hidden(page.inspector, WAITING_FIGURE),
            **what_if_hidden(page.what_if),
            **rating_hidden(page.rating),
        }

    def _shown(self, session: Session, annotator: str) -> Updates:
        """Every panel for the entry on display."""
        return {
            **answer_shown(self.page.answer, session.current),
            **trace_shown(self.page.inspector, session, self.studio.pool.measured_routing),
            **what_if_shown(self.page.what_if, session.current),
            **rating_shown(self.page.rating, self.studio.feedback, session.current, annotator),
            **history_shown(self.page.history, session),
        }

    def cleared(self, annotator: str) -> Updates:
        """The page as for a newcomer, but for the clip in the player."""
        session = Session()
        return {
            **self._shown(session, annotator),
            **comparison_ready(self.page.comparison, session),
            **self._untied(session),
            self.page.answer.notice: "",
        }

    def _restored(self, session: Session, annotator: str) -> Updates:
        """Every panel as it was before a question that got no answer, with a rating that is not saved yet and
        what was tried on the answer."""
        shown, tried = self._shown(session, annotator), self.page.what_if
        kept = [*self.page.rating.fields, *tried.results, tried.reference]
        return {block: update for block, update in shown.items() if block not in kept}

    # What to do with an answer

    def _lost(self) -> Updates:
        """The browser still shows an answer that this process never wrote."""
        return {self.page.answer.notice: messages.fault(messages.LOST)}

    def follow_up(self, source: str | None, session: Session) -> Updates:
        session = session.follow_up()
        text = gr.Textbox(placeholder="Ask more about the same clip")
        return {
            self.page.session: session,
            self.page.question.task: "qa",
            self.page.question.text: text,
            **self._clip_of(session.current, source),
            **context_shown(self.page.question, session),
        }

    def edit(self, source: str | None, session: Session) -> Updates:
        session = session.edit()
        if session.current is None:
            return self._lost()
        return {
            self.page.session: session,
            self.page.question.task: session.current.answer.task,
            self.page.question.text: session.current.answer.question,
            **self._clip_of(session.current, source),
            **context_shown(self.page.question, session),
        }

    def fresh(self, task: str, session: Session) -> Updates:
        return {self.page.question.text: placeholder(task), **self._untied(session)}

    def reopen(
        self, source: str | None, key: str, session: Session, annotator: str, request: gr.Request
    ) -> Updates:
        """Show an earlier answer with its picture, its rating and its clip."""
        self.studio.running_experiments.stop(page_of(request))  # it is of the answer that was on display
        session = session.show(key)
        entry = session.current
        if entry is None:
            return self._lost()
        return {
            **self._shown(session, annotator),
            **self._clip_of(entry, source),
            **comparison_ready(self.page.comparison, session),
            self.page.session: session,
            self.page.answer.notice: "",
            self.page.question.task: entry.answer.task,
            self.page.question.text: entry.answer.question,
            **context_shown(self.page.question, session),
        }

    def _clip_of(self, entry: SessionAnswer | None, source: str | None) -> Updates:
        """Put the answer's clip back in the player, unless `source` is it or its file is gone."""
        if entry is None or entry.source == source or not Path(entry.source).is_file():
            return {}
        return {self.page.clip.audio: entry.source}

    def compare(self, against: str, session: Session) -> Updates:
        return trace_shown(self.page.inspector, session, self.studio.pool.measured_routing, against)

    def other_shown(self, arrived: SessionAnswer | None, session: Session) -> Updates:
        """Another model's answer joins the session as it is by now, held against the one on display."""
        if arrived is None:
            return {}
        session = session.keep(arrived)
        return {
            **trace_shown(self.page.inspector, session, self.studio.pool.measured_routing, arrived.key),
            **history_shown(self.page.history, session),
            self.page.session: session,
            self.page.what_if.new_answer: None,
        }

    def file_asked(self, session: Session, found: Findings, annotator: str, event: gr.EventData) -> Updates:
        """The file that a button of the viewer asks for."""
        entry = session.current
        if entry is None:
            return self._lost()
        try:
            feedback, id_ = self.studio.feedback, entry.answer_id
            rating = feedback.rating(id_, annotator) if id_ else None
            spans = Spans(feedback.database).of(id_, annotator) if id_ else []
            measured_of = self.studio.pool.measured_routing
            file = export(entry, event.kind, rating, found, spans, dark=event.dark, measured_of=measured_of)
        except Exception as error:
            log.exception("an export failed")
            raise gr.Error("The file could not be made. The server's log says why.") from error
        return {self.page.inspector.saved: file.to_json()}

    def save(self, *values: Any) -> Updates:
        """values: the rating's fields, then the session and the annotator."""
        *fields, session, annotator = values
        panel = self.page.rating
        return save_rating(
            panel, self.studio.feedback, session.current, annotator, panel.rating.as_rating(fields)
        )

    def undo(self, session: Session, annotator: str) -> Updates:
        return undo_rating(self.page.rating, self.studio.feedback, session.current, annotator)

    def withdraw(self, session: Session, annotator: str) -> Updates:
        return withdraw_rating(self.page.rating, self.studio.feedback, session.current, annotator)


def connect(demo: gr.Blocks, page: Page, studio: Studio) -> None:
    """Attach every handler to its event. Only what needs the model waits in the model's line."""
    handlers = AskHandlers(page, studio)
    clip, question, answer, rating = page.clip, page.question, page.answer, page.rating
    everything = [
        block
        for panel in (
            clip,
            question,
            answer,
            page.inspector,
            page.what_if,
            rating,
            page.comparison,
            page.history,
            page.privacy,
        )
        for block in vars(panel).values()
        if isinstance(block, gr.blocks.Block)
    ]
    everything += [*rating.fields, page.session, page.annotator, page.banner, page.who, page.loading]
    quiet: dict[str, Any] = {"outputs": everything, "show_progress": "hidden", "api_visibility": "private"}
    fast: dict[str, Any] = {**quiet, "queue": False}
    # In the queue, the only place from where a refusal shows; few outputs, because it marks every one.
    reserving: dict[str, Any] = {
        **quiet,
        "outputs": [question.ask, question.stop, answer.notice, answer.heard],
    }
    at_once = studio.settings.at_once
    model: dict[str, Any] = {**quiet, "concurrency_id": MODEL, "concurrency_limit": at_once}

    demo.load(handlers.opened, page.annotator, **fast).then(handlers.router_reported, None, **fast)
    demo.unload(handlers.left)
    page.loading.tick(handlers.load_state, None, **fast).then(handlers.router_reported, None, **fast)

    clip.audio.change(handlers.clip_changed, [clip.audio, page.session], **quiet)
    for slider in (clip.start, clip.length):
        slider.release(handlers.span_changed, [clip.start, clip.length, clip.timed, page.session], **fast)
    question.task.change(handlers.task_changed, question.task, **fast)

    asked = [clip.audio, question.task, question.text, clip.start, clip.length, clip.timed, clip.keep]
    asked += [question.seed, question.temperature, page.session, page.annotator]
    turn = gr.on([question.ask.click, question.text.submit], handlers.reserve, None, **reserving)
    turn.success(handlers.ask, asked, **model).then(handlers.release, None, **fast)
    turn = answer.retry.click(handlers.reserve, None, **reserving)
    retried = [clip.audio, clip.keep, page.session, page.annotator]
    turn.success(handlers.retry, retried, **model).then(handlers.release, None, **fast)
    for kind, examples in clip.examples.items():
        turn = examples.click(handlers.reserve, None, **reserving)
        loaded = turn.success(partial(handlers.example_chosen, kind), [examples, page.session], **fast)
        loaded.failure(handlers.release, None, **fast)
        loaded.success(handlers.ask, asked, **model).then(handlers.release, None, **fast)
    question.stop.click(handlers.stop, None, **fast)

    # Emptied in the browser, at once: a slow answer must not wipe off what was typed meanwhile.
    answer.follow_up.click(None, None, question.text, js="() => ''")
    answer.follow_up.click(handlers.follow_up, [clip.audio, page.session], **fast).then(
        None, js=_FOCUS_QUESTION_JS
    )
    answer.edit.click(handlers.edit, [clip.audio, page.session], **fast).then(None, js=_FOCUS_QUESTION_JS)
    question.fresh.click(handlers.fresh, [question.task, page.session], **fast)
    reopened = [clip.audio, page.history.list, page.session, page.annotator]
    page.history.list.input(handlers.reopen, reopened, **quiet)

    page.inspector.against.input(handlers.compare, [page.inspector.against, page.session], **quiet)
    taken = [page.session, page.what_if.findings, page.annotator]
    files = page.inspector.viewer.export(handlers.file_asked, taken, **quiet)
    files.success(None, page.inspector.saved, js=SAVE_JS)

    other_arrived = connect_what_if(
        page.what_if, page.inspector.viewer, clip.audio, page.session, page.annotator, studio, quiet
    )
    other_arrived.then(handlers.other_shown, [page.what_if.new_answer, page.session], **fast)

    # Past the queue, which is full while many wait for the model: a rating must be saved even then.
    rating.save.click(handlers.save, [*rating.fields, page.session, page.annotator], **fast)
    rating.withdraw.click(handlers.withdraw, [page.session, page.annotator], **fast)
    rating.undo.click(handlers.undo, [page.session, page.annotator], **fast)

    marks = Marks(studio.feedback, studio.settings.span_labels)
    connect_marks(page.inspector.viewer, page.session, page.annotator, marks, fast)
    comparison = ComparisonHandlers(page.comparison, question, page.history, page.session, studio)
    connect_comparison(comparison, clip.keep, page.annotator, fast, reserving, model)
    connect_privacy(page.privacy, page.annotator, studio, handlers.cleared, fast)
