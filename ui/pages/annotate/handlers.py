"""What happens on the Annotate page. Every step is saved before the next answer is shown."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import StorageError
from storage.annotation.leases import Leases
from storage.annotation.project_queue import ProjectQueue
from storage.annotation.projects import Project, Projects
from storage.annotation.queue import Order, Queue
from storage.annotation.repeats import Repeats
from storage.errors import NotFoundError
from storage.ratings.results import Rating
from ui.access.request import page_of
from ui.components import messages
from ui.components.annotator_state import annotator_state
from ui.components.rating import contradiction
from ui.components.save_limit import save_limited
from ui.pages.annotate import render
from ui.pages.annotate.blind import BlindHandlers, blind_panel, connect_blind
from ui.pages.annotate.panel import AnnotatePanel, annotate_panel
from ui.pages.annotate.session import AnnotationSession, mixed

if TYPE_CHECKING:
    from ui.studio.service import Studio

log = logging.getLogger(__name__)

Updates = dict[Any, Any]
NO_DRAFT = (
    "You have judged this answer before; it came again to measure your consistency. Submit it, or skip it."
)
PROJECT = "project"
"""The part of the page's address that names a project."""
EVERYDAY, NONE = "Answers of no project", ""
_DONE = {"repeated": "judged again", "passed": "skipped"}
_SETTLED_JS = "() => { document.dispatchEvent(new Event('annotate:settled')); }"


class AnnotateHandlers:
    """The handlers of the page."""

    def __init__(
        self, panel: AnnotatePanel, session: gr.State, annotator: gr.BrowserState, studio: Studio
    ) -> None:
        self.panel = panel
        self.session = session
        self.annotator = annotator
        self.feedback = studio.feedback
        self.everyday = Queue(studio.feedback.database, studio.settings.judgements)
        self.projects = Projects(studio.feedback.database)
        self.identity = studio.identity
        self.leases = Leases(studio.feedback.database)
        self.repeats = Repeats(studio.feedback.database)
        self.repeat_share = studio.settings.repeat_share

    def opened(
        self,
        annotator: str,
        order: Order,
        audio_only: bool,
        request: gr.Request,
        profile: gr.OAuthProfile | None = None,
    ) -> Updates:
        """With the project that the address names, else the one that is assigned to the person."""
        annotator = self.identity.annotator(annotator, request, profile)

        def open_page() -> Updates:
            found = self.projects.open_to(annotator)
            named = request.query_params.get(PROJECT) if request else None
            names = [project.name for project in found]
            assigned = next((project.name for project in found if not project.open_to_all), NONE)
            chosen = named or assigned
            choices = [(EVERYDAY, NONE), *((name, name) for name in names)]
            shown = gr.Dropdown(choices, value=chosen, visible=bool(names or named))
            return {self.panel.project: shown, **self.started(annotator, order, audio_only, chosen, request)}

        return {self.annotator: annotator, **self._guarded(open_page)}

    def started(
        self, annotator: str, order: Order, audio_only: bool, project: str | None, request: gr.Request
    ) -> Updates:
        """The queue from its beginning, in this order."""

        def start() -> Updates:
            found = self._open_project(project, annotator) if project else None
            session = AnnotationSession(order, audio_only, found, page=page_of(request))
            if project and found is None:
                return self._closed(session, project)
            # Only here: with every item, they would fold again.
            return {**self._guidelines(found), **self._next(session, annotator)}

        return self._guarded(start)

    def judge_leased(self, session: AnnotationSession, annotator: str) -> Updates:
        """Go on with what others, or the person on another page, have before them."""
        return self._guarded(lambda: self._next(replace(session, leased=True), annotator))

    def renew(self, session: AnnotationSession, annotator: str) -> None:
        """The page is still open, so it keeps what it holds."""
        if session.page:
            try:
                self.leases.renew(annotator, session.page)
            except StorageError as error:
                log.warning("what is on an open page could not be kept for it: %s", error)

    def closed(self, request: gr.Request) -> None:
        """What the page held goes to others at once."""
        try:
            self.leases.release(page_of(request))
        except StorageError as error:
            log.info("what a closed page held waits for a while: %s", error)

    def submit(self, *values: Any) -> Updates:
        """values: the rating's fields, then the session and the annotator."""
        *fields, session, annotator = values
        rating = self.panel.rating.as_rating(fields)
        action, save = (
            ("repeated", self.repeats.rate_again) if session.again else ("judged", self.feedback.rate)
        )
        updates = self._step(action, session, annotator, lambda id_: save(id_, annotator, **rating))
        doubt = contradiction(rating)
        if doubt and self.session in updates:  # it was saved, and the next is on display
            updates[self.panel.status] = messages.status(f"The last one: {doubt} Undo brings it back.")
        return updates

    def draft(self, *values: Any) -> Updates:
        *fields, session, annotator = values
        if session.again:
            return {self.panel.status: messages.fault(NO_DRAFT)}
        rating = self.panel.rating.as_rating(fields)
        return self._step(
            "drafted", session, annotator, lambda id_: self.everyday.draft(id_, annotator, rating)
        )

    def skip(self, session: AnnotationSession, annotator: str) -> Updates:
        if session.again:
            return self._step("passed", session, annotator, lambda id_: None)
        return self._step("skipped", session, annotator, lambda id_: self.everyday.skip(id_, annotator))

    def undo(self, session: AnnotationSession, annotator: str) -> Updates:
        """Take the last step back and show its answer again, filled in as it was."""

        def take_back() -> Updates:
            action, answer_id = session.done[-1]
            rating: Rating | dict[str, Any] | None
            if action == "judged":
                rating = self.feedback.rating(answer_id, annotator)
                self.feedback.undo(answer_id, annotator)
            elif action in ("repeated", "passed"):
                rating = self.repeats.second_rating(answer_id, annotator)
                self.repeats.withdraw(answer_id, annotator)
            else:
                rating = self.everyday.item(answer_id, annotator).draft
                self.everyday.requeue(answer_id, annotator)
            counts = self._queue(session).progress(annotator, audio_only=session.audio_only)
            consistency = tuple(self.repeats.self_consistency(annotator))
            if action not in ("repeated", "passed"):
                self.leases.take(answer_id, annotator, session.page)
            now = replace(session.undone_to(answer_id), counts=counts, consistency=consistency)
            undone = messages.saved(f"Undone: this one is no longer {_DONE.get(action, action)}")
            return {**self._shown(now, annotator, rating), self.panel.status: undone}

        if not session.done:
            return {self.panel.status: messages.status("Nothing to undo since this page was opened.")}
        return self._guarded(take_back)

    def _step(
        self, action: str, session: AnnotationSession, annotator: str, save: Callable[[str], object]
    ) -> Updates:
        """Save what was done with the answer on display, then show the next."""

        def step() -> Updates:
            save(session.current or "")
            after = session.after(action)
            if action == "repeated":
                after = replace(after, consistency=tuple(self.repeats.self_consistency(annotator)))
            return self._next(after, annotator)

        if session.current is None:
            return {self.panel.status: messages.fault(messages.LOST)}
        return self._guarded(step)

    def _next(self, session: AnnotationSession, annotator: str) -> Updates:
        """Show what comes next; the database is asked for the order, and counted, once a batch."""
        if not session.ahead:
            if session.project:  # which may be another by now, or closed
                project = self._open_project(session.project.name, annotator)
                if project is None:
                    return self._closed(session, session.project.name)
                session = replace(session, project=project)
            queue = self._queue(session)
            ids = queue.upcoming(
                annotator,
                session.order,
                audio_only=session.audio_only,
                page=session.page,
                leased=session.leased,
            )
            counts = queue.progress(annotator, audio_only=session.audio_only)
            wanted = sum(random.random() < self.repeat_share for _ in ids)
            again = self.repeats.due(annotator, wanted, audio_only=session.audio_only, project=queue.project)
            session = replace(
                session,
                ahead=mixed(ids, again),
                repeats=session.repeats | set(again),
                counts=counts,
                consistency=tuple(self.repeats.self_consistency(annotator)),
            )
        return self._shown(session.advanced(), annotator)

    def _shown(
        self, session: AnnotationSession, annotator: str, rating: Rating | dict[str, Any] | None = None
    ) -> Updates:
        panel, item = self.panel, None
        while session.current and item is None:
            try:
                item = self.everyday.item(session.current, annotator)
            except NotFoundError:  # its owner deleted it while it waited here
                session = session.advanced()
        draft = item.draft if item and not session.again else None
        project, left = session.project, session.counts.left
        empty = render.empty(session.counts, audio_only=session.audio_only, project=project)
        wanted = self.everyday.ratings_wanted
        return {
            self.session: replace(session, begun=draft is not None),
            panel.item: render.item(item, wanted, of_project=project is not None) if item else empty,
            panel.judge: gr.update(visible=item is not None),
            panel.leased: gr.Button(visible=item is None and left > 0 and project is None),
            panel.progress: render.progress(session.counts) + render.self_consistency(session.consistency),
            panel.status: messages.status("You began this one before.") if draft else "",
            **panel.rating.filled(rating or draft),
        }

    def _queue(self, session: AnnotationSession) -> Queue:
        project, database = session.project, self.everyday.database
        return ProjectQueue(database, project.wanted, key=project.key) if project else self.everyday

    def _open_project(self, name: str, annotator: str) -> Project | None:
        """None where it is closed, or not open to the person."""
        return next((project for project in self.projects.open_to(annotator) if project.name == name), None)

    def _closed(self, session: AnnotationSession, name: str) -> Updates:
        return {
            self.session: replace(session, project=None, current=None, ahead=()),
            **self._guidelines(None),
            self.panel.item: render.not_open(name),
            self.panel.judge: gr.update(visible=False),
            self.panel.leased: gr.Button(visible=False),
            self.panel.progress: "",
            self.panel.status: "",
        }

    def _guidelines(self, project: Project | None) -> Updates:
        shown = render.guidelines(project)
        return {self.panel.guidelines: gr.update(value=shown, visible=bool(shown))}

    def _guarded(self, step: Callable[[], Updates]) -> Updates:
        """On failure only the status changes: what was typed stays."""
        try:
            return step()
        except StorageError as error:
            return {self.panel.status: messages.fault(str(error))}


def annotate_page(demo: gr.Blocks, studio: Studio) -> None:
    """Lay the page out and connect it. Called inside its route's context."""
    settings = studio.settings
    blind = BlindHandlers(blind_panel(), studio)
    panel, session = annotate_panel(settings), gr.State(AnnotationSession())
    annotator = annotator_state(studio.identity)
    handlers = AnnotateHandlers(panel, session, annotator, studio)
    outputs = [
        panel.project, panel.guidelines, panel.item, panel.judge, panel.progress, panel.status, session,
        panel.leased, annotator, *panel.rating.blocks,
    ]  # fmt: skip
    # Past the queue, which is full while many wait for the model: a judgement must be saved even then.
    fast: dict[str, Any] = {
        "outputs": outputs, "show_progress": "hidden", "api_visibility": "private", "queue": False
    }  # fmt: skip

    def limited(handler: Callable[..., Updates]) -> Callable[..., Updates]:
        return save_limited(studio, handler, lambda why: {panel.status: messages.fault(why)})

    place, step = [annotator, panel.order, panel.audio_only], [session, annotator]
    start = [*place, panel.project]
    rating = panel.rating.blocks
    steps = [
        demo.load(handlers.opened, place, **fast),
        panel.order.input(handlers.started, start, **fast),
        panel.audio_only.input(handlers.started, start, **fast),
        panel.project.input(handlers.started, start, **fast),
        panel.leased.click(handlers.judge_leased, step, **fast),
        panel.submit.click(limited(handlers.submit), [*rating, *step], **fast),
        panel.draft.click(limited(handlers.draft), [*rating, *step], **fast),
        panel.skip.click(limited(handlers.skip), step, **fast),
        panel.undo.click(limited(handlers.undo), step, **fast),
    ]
    panel.renewing.tick(handlers.renew, step, **{**fast, "outputs": None})
    demo.unload(handlers.closed)
    connect_blind(blind, studio, steps[0], annotator, fast)
    for done in steps:
        done.then(None, js=_SETTLED_JS)  # also when the same answer stays: the keys listen again
