"""What happens under "What if": runs the experiments of the section on the answer on display."""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import gradio as gr
from gradio.events import Dependency

from ui.access.request import page_of, visitor_of
from ui.components import messages
from ui.components.turns import take_experiment_turn
from ui.inspector.payload import attribution_json
from ui.server.queues import STUDY
from ui.studio.experiments import ExperimentTarget
from ui.studio.jobs import JobCancelledError, JobProgress, JobResult, run_job
from ui.studio.service import UNEXPECTED, Studio
from ui.studio.session import Session, SessionAnswer
from ui.what_if import render
from ui.what_if.choices import intervention_of
from ui.what_if.findings import Findings
from ui.what_if.outcomes import outcome_of
from ui.what_if.panel import WhatIfPanel, selection_shown
from ui.what_if.selection import ViewerSelection
from usam.errors import RequestError, UsamError
from usam.interpretability.deletion import SEEDS
from usam.progress import ProgressCallback

if TYPE_CHECKING:
    from usam.interpretability.attribution import Attribution
    from usam.interpretability.deletion import DeletionTest
    from usam.interpretability.intervention import InterventionResult
    from usam.interpretability.replay import Replay

log = logging.getLogger(__name__)

REDRAW_SECONDS = 0.2

Updates = dict[Any, Any]
Found = TypeVar("Found")


class WhatIfHandlers:
    """The handlers of the section; what differs between visitors is in the arguments."""

    def __init__(self, panel: WhatIfPanel, viewer: gr.HTML, studio: Studio) -> None:
        self.panel = panel
        self.viewer = viewer
        self.studio = studio

    def reserve(self, request: gr.Request) -> Updates:
        """Reserve the page before the experiment is queued, so that Stop works from the start."""
        take_experiment_turn(self.studio, page_of(request), visitor_of(request))
        return {**self._busy(True), self.panel.status: messages.working("Waiting for the model", 0.0)}

    def stop(self, request: gr.Request) -> Updates:
        self.studio.running_experiments.stop(page_of(request))
        return {self.panel.stop: gr.Button("Stopping…", interactive=False)}

    def selected(self, session: Session, event: gr.EventData) -> Updates:
        """The viewer's span or threshold was set."""
        selection = ViewerSelection.of(event.span, event.threshold)
        return selection_shown(self.panel, session.current, selection, self.studio.pool.measured_routing)

    def change(
        self,
        choice: str | None,
        selection: ViewerSelection,
        findings: Findings,
        source: str | None,
        session: Session,
        request: gr.Request,
    ) -> Iterator[Updates]:
        def work(entry: SessionAnswer, progress: ProgressCallback) -> InterventionResult:
            intervention = intervention_of(choice, selection.span, random.randrange(1000))
            target = ExperimentTarget(entry, source, selection.threshold)
            return self.studio.experiments.change(target, intervention, progress)

        def shown(result: InterventionResult) -> Updates:
            rows = (*findings.changes, outcome_of(result))
            return {
                self.panel.findings: replace(findings, changes=rows),
                self.panel.outcomes: render.outcomes_table(rows),
            }

        yield from self._experiment(work, shown, self.panel.outcomes, session, request)

    def test(
        self,
        reference: str,
        selection: ViewerSelection,
        findings: Findings,
        source: str | None,
        session: Session,
        request: gr.Request,
    ) -> Iterator[Updates]:
        def work(entry: SessionAnswer, progress: ProgressCallback) -> DeletionTest:
            target = ExperimentTarget(entry, source, selection.threshold)
            return self.studio.experiments.deletion(
                target, (reference or "").strip() or None, SEEDS, progress
            )

        def shown(result: DeletionTest) -> Updates:
            return {
                self.panel.findings: replace(findings, deletion=result),
                self.panel.deletion_result: render.deletion_figure(result),
            }

        yield from self._experiment(work, shown, self.panel.deletion_result, session, request)

    def attribute(
        self, findings: Findings, source: str | None, session: Session, request: gr.Request
    ) -> Iterator[Updates]:
        def work(entry: SessionAnswer, progress: ProgressCallback) -> tuple[SessionAnswer, Attribution]:
            return entry, self.studio.experiments.attribution(ExperimentTarget(entry, source), progress)

        def shown(result: tuple[SessionAnswer, Attribution]) -> Updates:
            entry, words = result
            return {
                self.panel.findings: replace(findings, words=words),
                self.viewer: gr.update(attribution=attribution_json(entry, words)),
                self.panel.attribution_status: messages.saved("Pick a word above the picture."),
            }

        yield from self._experiment(work, shown, self.panel.attribution_status, session, request)

    def replay(self, source: str | None, session: Session, request: gr.Request) -> Iterator[Updates]:
        def work(entry: SessionAnswer, progress: ProgressCallback) -> Replay:
            return self.studio.experiments.replay(ExperimentTarget(entry, source), progress)

        def shown(result: Replay) -> Updates:
            return {self.panel.replay_result: render.replay_verdict(result)}

        yield from self._experiment(work, shown, self.panel.replay_result, session, request)

    def other(
        self,
        checkpoint: str,
        quantization: str,
        source: str | None,
        session: Session,
        annotator: str,
        request: gr.Request,
    ) -> Iterator[Updates]:
        def work(entry: SessionAnswer, progress: ProgressCallback) -> tuple[SessionAnswer, SessionAnswer]:
            target = ExperimentTarget(entry, source)
            answer, audio = self.studio.experiments.other_model(target, checkpoint, quantization, progress)
            new = SessionAnswer(
                uuid.uuid4().hex,
                answer,
                audio,
                entry.source,
                clip_name=entry.clip_name,
                asked_at=datetime.now(UTC),
            )
            return entry, self.studio.stored(new, None, annotator, entry.answer_id)

        def shown(result: tuple[SessionAnswer, SessionAnswer]) -> Updates:
            entry, new = result
            return {
                self.panel.other_result: render.other_answer(entry.answer, new.answer),
                self.panel.new_answer: new,
            }

        yield from self._experiment(work, shown, self.panel.other_result, session, request)

    def _experiment(
        self,
        work: Callable[[SessionAnswer, ProgressCallback], Found],
        shown: Callable[[Found], Updates],
        place: gr.HTML,
        session: Session,
        request: gr.Request,
    ) -> Iterator[Updates]:
        """Run one experiment and show its result, or why there is none, in `place`."""
        stop = self.studio.running_experiments.stop_event(page_of(request))
        due = 0.0
        try:
            entry = session.current
            if entry is None:
                raise RequestError("There is no answer to run this on. Ask first.")
            if stop.is_set():  # while it was queued
                raise JobCancelledError
            for event in run_job(lambda progress: work(entry, progress), stop):
                if isinstance(event, JobResult):
                    yield shown(event.result)
                elif isinstance(event, JobProgress) and time.monotonic() >= due:
                    due = time.monotonic() + REDRAW_SECONDS
                    yield {self.panel.status: messages.working(event.message, event.share)}
        except JobCancelledError:
            yield {self.panel.status: ""}
        except UsamError as error:
            yield {place: messages.fault(str(error))}
        except Exception:
            log.exception("an experiment failed")
            yield {place: messages.fault(UNEXPECTED)}

    def release(self, request: gr.Request) -> Updates:
        self.studio.running_experiments.end(page_of(request))
        return self._busy(False)

    def _busy(self, running: bool) -> Updates:
        """The buttons make way for the progress and Stop."""
        return {
            self.panel.progress: gr.update(visible=running),
            self.panel.stop: gr.Button("Stop", interactive=True),
            **{button: gr.Button(interactive=not running) for button in self.panel.starts},
        }


def connect_what_if(
    panel: WhatIfPanel,
    viewer: gr.HTML,
    source: gr.Audio,
    session: gr.State,
    annotator: gr.BrowserState,
    studio: Studio,
    quiet: dict[str, Any],
) -> Dependency:
    """Attach the section's handlers. Returns the event after which another model's answer has arrived.

    quiet: how events are attached whose handlers update any part of the page.
    """
    handlers = WhatIfHandlers(panel, viewer, studio)
    fast: dict[str, Any] = {**quiet, "queue": False}
    queued: dict[str, Any] = {**quiet, "concurrency_id": STUDY, "concurrency_limit": 1}

    def connect(button: gr.Button, handler: Callable[..., Any], inputs: list[Any]) -> Dependency:
        turn = button.click(handlers.reserve, None, **fast)
        return turn.success(handler, inputs, **queued).then(handlers.release, None, **fast)

    viewer.selected(handlers.selected, session, **fast)
    panel.stop.click(handlers.stop, None, **fast)
    connect(panel.run, handlers.change, [panel.change, panel.selection, panel.findings, source, session])
    connect(panel.test, handlers.test, [panel.reference, panel.selection, panel.findings, source, session])
    connect(panel.attribute, handlers.attribute, [panel.findings, source, session])
    connect(panel.replay, handlers.replay, [source, session])
    return connect(
        panel.other, handlers.other, [panel.checkpoint, panel.precision, source, session, annotator]
    )
