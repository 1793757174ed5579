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
from ui.components.rating import rating_hidden, rating_shown, save_rating, undo_rating, withdraw_rating
from ui.engines.loader import LoadState
from ui.examples import EXAMPLES
from ui.inspector import SAVE_JS, export, trace_hidden, trace_shown, what_if_hidden, what_if_shown
from ui.inspector.annotations import connect_marks
from ui.inspector.payload import source_name, started
from ui.pages.ask import render
from ui.pages.ask.answer import answer_shown
from ui.pages.ask.clip import Timed, clip_chosen, no_clip
from ui.pages.ask.comparison import comparison_ready, connect_comparison
from ui.pages.ask.history import history_shown
from ui.pages.ask.page import Page
from ui.pages.ask.privacy import connect_privacy
from ui.pages.ask.question import busy, context_shown, placeholder, take_turn
from ui.studio.service import Hearing, Question, Studio, retry_of
from ui.studio.session import Entry, Visit
from ui.studio.stored_answers import LINK, clip_of, stored_entry
from ui.what_if.findings import Findings
from ui.what_if.handlers import connect_what_if
from usam.errors import UsamError
from usam.schema.tasks import TASKS
from usam.schema.trace import Encoded, TextDelta

log = logging.getLogger(__name__)

REDRAW_SECONDS = 0.1
"""Tokens come faster than people read; each redraw costs time that the model could use."""
NO_SUCH_ANSWER = (
    "There is no answer under this link here: it was deleted, or given on another server. "
    "You can ask about a clip of your own."
)
MODEL = "model"  # the one line that everything waits in that needs the model

Updates = dict[Any, Any]

_FOCUS_QUESTION_JS = "() => setTimeout(() => document.querySelector('#question textarea')?.focus(), 80)"


class Desk:
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
            entry = stored_entry(self.studio.feedback, answer_id, self.studio.listen)
        except NotFoundError:
            return {self.page.answer.notice: render.status(NO_SUCH_ANSWER)}
        except (StorageError, UsamError) as error:
            return {self.page.answer.notice: render.fault(str(error))}
        visit = Visit().add(entry)
        return {
            **answer_shown(self.page.answer, entry),
            **self._shown(visit, annotator),
            self.page.visit: visit,
            self.page.question.task: entry.answer.task,
        }

    def load_state(self) -> Updates:
        state = self.studio.loader.state
        return {self.page.banner: render.banner(state), self.page.loading: gr.Timer(active=not state.ready)}

    def router_told(self) -> Updates:
        """Once the model has loaded, the viewer is told how alive its router is."""
        router = self.studio.router()
        return {self.page.inspector.viewer: gr.HTML(router=started(router)) if router else gr.skip()}

    # The clip

    def clip_changed(self, source: str | None, visit: Visit) -> Updates:
        """A clip was recorded, uploaded, trimmed or removed. Another clip ends the conversation."""
        tied = visit.context_entry
        changed = self._untied(visit) if tied and tied.source != source else {}
        changed[self.page.answer.notice] = ""
        changed[self.page.inspector.viewer] = gr.HTML(player=source_name(source))
        if not source:
            return {**no_clip(self.page.clip), **changed}
        try:
            clip = self.studio.listen(source)
        except UsamError as error:
            return {**no_clip(self.page.clip, render.fault(str(error))), **changed}
        return {**clip_chosen(self.page.clip, source, clip, self.longest), **changed}

    def span_changed(self, start: float, length: float, timed: Timed, visit: Visit) -> Updates:
        begin, end = timed.span(start, length, self.longest)
        line = render.will_hear(begin or 0.0, end or timed.duration, timed.duration, self.longest)
        return {self.page.clip.outlook: line, **self._untied(visit)}

    def _untied(self, visit: Visit) -> Updates:
        """The next question stands alone."""
        return {self.page.visit: visit.fresh(), **context_shown(self.page.question, visit.fresh())}

    def example_chosen(self, kind: str, index: int, visit: Visit) -> Updates:
        examples = EXAMPLES[kind]
        if not isinstance(index, int) or not 0 <= index < len(examples):
            raise gr.Error("There is no such example.", print_exception=False)
        example = examples[index]
        return {
            **self._untied(visit),
            self.page.clip.audio: example.path,
            self.page.question.task: example.task,
            self.page.question.text: gr.Textbox(example.question, placeholder=TASKS[example.task].prompt),
        }

    # Asking

    def task_changed(self, task: str) -> Updates:
        return {self.page.question.text: placeholder(task)}

    def reserve(self, request: gr.Request) -> Updates:
        take_turn(self.studio, page_of(request))
        self.studio.studies.stop(page_of(request))  # it is of the answer that is about to go
        return {
            **busy(self.page.question, True),
            self.page.answer.notice: "",
            self.page.answer.heard: render.status("Waiting for the model…"),
        }

    def release(self, request: gr.Request) -> Updates:
        self.studio.runs.end(page_of(request))
        return busy(self.page.question, False)

    def stop(self, request: gr.Request) -> Updates:
        self.studio.runs.stop(page_of(request))
        return {self.page.question.stop: gr.Button("Stopping…", interactive=False)}

    def left(self, request: gr.Request) -> None:
        """The page was closed: do not write an answer for nobody."""
        self.studio.runs.end(page_of(request))
        self.studio.studies.end(page_of(request))

    def ask(
        self,
        source: str | None,
        task: str,
        text: str,
        start: float,
        length: float,
        timed: Timed,
        keep: bool,
        seed: float,
        temperature: float,
        visit: Visit,
        annotator: str,
        request: gr.Request,
    ) -> Iterator[Updates]:
        """Ask about the clip on the page, or, in a follow-up, about the clip of the answer it follows."""
        tied = visit.context_entry
        try:
            tied_clip = clip_of(tied, source, self.studio.listen) if tied else None
        except UsamError as error:
            yield {self.page.answer.notice: render.fault(str(error)), self.page.answer.heard: ""}
            return
        begin, end = timed.span(start, length, self.longest) if timed.source == source else (None, None)
        question = Question(
            text=text or "",  # a program may send nothing in place of a text
            task=task,
            source=tied.source if tied else source,
            clip=tied_clip,
            start=begin,
            end=end,
            history=visit.context,
            seed=int(seed or 0),
            temperature=temperature,
            parent=tied.answer_id if tied else None,
            keep_audio=keep,
        )
        yield from self._answer(question, visit, annotator, request)

    def retry(
        self, source: str | None, keep: bool, visit: Visit, annotator: str, request: gr.Request
    ) -> Iterator[Updates]:
        entry = visit.current
        if entry is None:
            yield {**self._lost(), self.page.answer.heard: ""}
            return
        try:
            entry = replace(entry, clip=clip_of(entry, source, self.studio.listen))
        except UsamError as error:
            yield {self.page.answer.notice: render.fault(str(error)), self.page.answer.heard: ""}
            return
        yield from self._answer(retry_of(entry, visit.unused_seed, keep), visit, annotator, request)

    def _answer(
        self, question: Question, visit: Visit, annotator: str, request: gr.Request
    ) -> Iterator[Updates]:
        """Stream the answer into the page. After a failure the page is as before, plus one sentence."""
        question = replace(question, visitor=visitor_of(request))
        page, stop = self.page, self.studio.runs.stop_event(page_of(request))
        asked = question.text.strip() or TASKS[question.task].prompt
        draw = partial(render.thread, question.history, asked)
        text, entry, due = "", None, 0.0
        yield self._writing(draw("", writing=True))
        try:
            for event in self.studio.ask(question, annotator, stop):
                if isinstance(event, LoadState):
                    yield {page.answer.heard: render.waiting(event)}
                elif isinstance(event, Hearing):
                    yield {page.answer.heard: render.status("Listening…")}
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
            yield {**self._restored(visit, annotator), page.answer.notice: render.fault(str(error))}
            return
        if entry is None:
            stopped = render.status("Stopped before the clip was heard.")
            yield {**self._restored(visit, annotator), page.answer.notice: stopped}
            return
        yield answer_shown(page.answer, entry)  # the words first, the picture takes a moment
        visit = visit.add(entry)
        yield {
            **self._shown(visit, annotator),
            page.visit: visit,
            **context_shown(page.question, visit),
            **comparison_ready(page.comparison, visit),
        }

    def _writing(self, thread: str) -> Updates:
        page = self.page
        return {
            page.answer.thread: thread,
            page.answer.meters: "",
            page.answer.actions: gr.Row(visible=False),
            **trace_hidden(page.inspector, render.WAITING_FIGURE),
            **what_if_hidden(page.inspector.what_if),
            **rating_hidden(page.rating),
        }

    def _shown(self, visit: Visit, annotator: str) -> Updates:
        """Every panel for the entry on display."""
        return {
            **answer_shown(self.page.answer, visit.current),
            **trace_shown(self.page.inspector, visit, self.studio.models.measured_routing),
            **what_if_shown(self.page.inspector.what_if, visit.current),
            **rating_shown(self.page.rating, self.studio.feedback, visit.current, annotator),
            **history_shown(self.page.history, visit),
        }

    def cleared(self, annotator: str) -> Updates:
        """The page as for a newcomer, but for the clip in the player."""
        visit = Visit()
        return {
            **self._shown(visit, annotator),
            **comparison_ready(self.page.comparison, visit),
            **self._untied(visit),
            self.page.answer.notice: "",
        }

    def _restored(self, visit: Visit, annotator: str) -> Updates:
        """Every panel as it was before a question that got no answer, with a rating that is not saved yet and
        what was tried on the answer."""
        shown, tried = self._shown(visit, annotator), self.page.inspector.what_if
        kept = [*self.page.rating.fields, *tried.results, tried.reference]
        return {block: update for block, update in shown.items() if block not in kept}

    # What to do with an answer

    def _lost(self) -> Updates:
        """The browser still shows an answer that this process never wrote."""
        return {self.page.answer.notice: render.fault(render.LOST)}

    def follow_up(self, source: str | None, visit: Visit) -> Updates:
        visit = visit.follow_up()
        text = gr.Textbox(placeholder="Ask more about the same clip")
        return {
            self.page.visit: visit,
            self.page.question.task: "qa",
            self.page.question.text: text,
            **self._clip_of(visit.current, source),
            **context_shown(self.page.question, visit),
        }

    def edit(self, source: str | None, visit: Visit) -> Updates:
        visit = visit.edit()
        if visit.current is None:
            return self._lost()
        return {
            self.page.visit: visit,
            self.page.question.task: visit.current.answer.task,
            self.page.question.text: visit.current.answer.question,
            **self._clip_of(visit.current, source),
            **context_shown(self.page.question, visit),
        }

    def fresh(self, task: str, visit: Visit) -> Updates:
        return {self.page.question.text: placeholder(task), **self._untied(visit)}

    def reopen(
        self, source: str | None, key: str, visit: Visit, annotator: str, request: gr.Request
    ) -> Updates:
        """Show an earlier answer with its picture, its rating and its clip."""
        self.studio.studies.stop(page_of(request))  # it is of the answer that was on display
        visit = visit.show(key)
        entry = visit.current
        if entry is None:
            return self._lost()
        return {
            **self._shown(visit, annotator),
            **self._clip_of(entry, source),
            **comparison_ready(self.page.comparison, visit),
            self.page.visit: visit,
            self.page.answer.notice: "",
            self.page.question.task: entry.answer.task,
            self.page.question.text: entry.answer.question,
            **context_shown(self.page.question, visit),
        }

    def _clip_of(self, entry: Entry | None, source: str | None) -> Updates:
        """Put the answer's clip back in the player, unless `source` is it or its file is gone."""
        if entry is None or entry.source == source or not Path(entry.source).is_file():
            return {}
        return {self.page.clip.audio: entry.source}

    def compare(self, against: str, visit: Visit) -> Updates:
        return trace_shown(self.page.inspector, visit, self.studio.models.measured_routing, against)

    def file_asked(self, visit: Visit, found: Findings, annotator: str, event: gr.EventData) -> Updates:
        """The file that a button of the viewer asks for."""
        entry = visit.current
        if entry is None:
            return self._lost()
        try:
            feedback, id_ = self.studio.feedback, entry.answer_id
            rating = feedback.rating(id_, annotator) if id_ else None
            spans = Spans(feedback).of(id_, annotator) if id_ else []
            measured_of = self.studio.models.measured_routing
            file = export(entry, event.kind, rating, found, spans, dark=event.dark, measured_of=measured_of)
        except Exception as error:
            log.exception("an export failed")
            raise gr.Error("The file could not be made. The server's log says why.") from error
        return {self.page.inspector.saved: file.to_json()}

    def save(self, *values: Any) -> Updates:
        """values: the rating's fields, then the visit and the annotator."""
        *fields, visit, annotator = values
        panel = self.page.rating
        return save_rating(panel, self.studio.feedback, visit.current, annotator, panel.rating.said(fields))

    def undo(self, visit: Visit, annotator: str) -> Updates:
        return undo_rating(self.page.rating, self.studio.feedback, visit.current, annotator)

    def withdraw(self, visit: Visit, annotator: str) -> Updates:
        return withdraw_rating(self.page.rating, self.studio.feedback, visit.current, annotator)


def connect(demo: gr.Blocks, page: Page, studio: Studio) -> None:
    """Attach every handler to its event. Only what needs the model waits in the model's line."""
    desk = Desk(page, studio)
    clip, question, answer, rating = page.clip, page.question, page.answer, page.rating
    everything = [
        block
        for panel in (
            clip,
            question,
            answer,
            page.inspector,
            page.inspector.what_if,
            rating,
            page.comparison,
            page.history,
            page.privacy,
        )
        for block in vars(panel).values()
        if isinstance(block, gr.blocks.Block)
    ]
    everything += [*rating.fields, page.visit, page.annotator, page.banner, page.who, page.loading]
    quiet: dict[str, Any] = {"outputs": everything, "show_progress": "hidden", "api_visibility": "private"}
    fast: dict[str, Any] = {**quiet, "queue": False}
    # In the queue, the only place from where a refusal shows; few outputs, because it marks every one.
    reserving: dict[str, Any] = {
        **quiet,
        "outputs": [question.ask, question.stop, answer.notice, answer.heard],
    }
    at_once = studio.settings.at_once
    model: dict[str, Any] = {**quiet, "concurrency_id": MODEL, "concurrency_limit": at_once}

    demo.load(desk.opened, page.annotator, **fast).then(desk.router_told, None, **fast)
    demo.unload(desk.left)
    page.loading.tick(desk.load_state, None, **fast).then(desk.router_told, None, **fast)

    clip.audio.change(desk.clip_changed, [clip.audio, page.visit], **quiet)
    for slider in (clip.start, clip.length):
        slider.release(desk.span_changed, [clip.start, clip.length, clip.timed, page.visit], **fast)
    question.task.change(desk.task_changed, question.task, **fast)

    asked = [clip.audio, question.task, question.text, clip.start, clip.length, clip.timed, clip.keep]
    asked += [question.seed, question.temperature, page.visit, page.annotator]
    turn = gr.on([question.ask.click, question.text.submit], desk.reserve, None, **reserving)
    turn.success(desk.ask, asked, **model).then(desk.release, None, **fast)
    turn = answer.retry.click(desk.reserve, None, **reserving)
    retried = [clip.audio, clip.keep, page.visit, page.annotator]
    turn.success(desk.retry, retried, **model).then(desk.release, None, **fast)
    for kind, examples in clip.examples.items():
        turn = examples.click(desk.reserve, None, **reserving)
        loaded = turn.success(partial(desk.example_chosen, kind), [examples, page.visit], **fast)
        loaded.failure(desk.release, None, **fast)
        loaded.success(desk.ask, asked, **model).then(desk.release, None, **fast)
    question.stop.click(desk.stop, None, **fast)

    # Emptied in the browser, at once: a slow answer must not wipe off what was typed meanwhile.
    answer.follow_up.click(None, None, question.text, js="() => ''")
    answer.follow_up.click(desk.follow_up, [clip.audio, page.visit], **fast).then(None, js=_FOCUS_QUESTION_JS)
    answer.edit.click(desk.edit, [clip.audio, page.visit], **fast).then(None, js=_FOCUS_QUESTION_JS)
    question.fresh.click(desk.fresh, [question.task, page.visit], **fast)
    reopened = [clip.audio, page.history.list, page.visit, page.annotator]
    page.history.list.input(desk.reopen, reopened, **quiet)

    page.inspector.against.input(desk.compare, [page.inspector.against, page.visit], **quiet)
    taken = [page.visit, page.inspector.what_if.found, page.annotator]
    files = page.inspector.viewer.export(desk.file_asked, taken, **quiet)
    files.success(None, page.inspector.saved, js=SAVE_JS)

    connect_what_if(page, studio, everything)

    # Past the queue, which is full while many wait for the model: a rating must be saved even then.
    rating.save.click(desk.save, [*rating.fields, page.visit, page.annotator], **fast)
    rating.withdraw.click(desk.withdraw, [page.visit, page.annotator], **fast)
    rating.undo.click(desk.undo, [page.visit, page.annotator], **fast)

    connect_marks(page, studio, fast)
    connect_comparison(page, studio, fast, reserving, model)
    connect_privacy(page, studio, desk.cleared, fast)
