"""What happens under "What if": joins the section to the engine. Every study is of the answer on display."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import gradio as gr

from ui import render
from ui.inspector import InspectorPanel
from ui.inspector import outcomes as html
from ui.inspector.interventions import Touched, intervention_of, leaned_on, touched_shown
from ui.inspector.outcomes import Outcome, outcome_of
from ui.stored import clip_of
from ui.studio import UNEXPECTED, Studio
from ui.visit import Entry, Visit
from ui.visitor import page_of
from ui.work import Done, GivenUpError, Progress, Step, steps
from usam.errors import RequestError, UsamError
from usam.trace import Answer

if TYPE_CHECKING:
    from usam.audio import Clip
    from usam.engine import Engine

log = logging.getLogger(__name__)

STUDY = "study"
"""The line that studies wait in. The engine is free between their passes, so questions need not wait."""
REDRAW_SECONDS = 0.2

Updates = dict[Any, Any]
Found = TypeVar("Found")


class Bench:
    """The handlers of the section; what differs between visitors is in the arguments."""

    def __init__(self, inspector: InspectorPanel, studio: Studio) -> None:
        self.inspector = inspector
        self.panel = inspector.what_if
        self.studio = studio

    def reserve(self, request: gr.Request) -> Updates:
        """Take the page's turn before the study waits in line, so that Stop works from the start."""
        if not self.studio.studies.begin(page_of(request)):
            raise gr.Error("Something is still being tried. Press Stop first.", title="One at a time")
        return {**self._busy(True), self.panel.status: render.working("Waiting for the model", 0.0)}

    def stop(self, request: gr.Request) -> Updates:
        self.studio.studies.stop(page_of(request))
        return {self.panel.stop: gr.Button("Stopping…", interactive=False)}

    def touched(self, visit: Visit, event: gr.EventData) -> Updates:
        """The viewer's span or threshold was set."""
        return touched_shown(self.panel, visit.current, Touched.of(event.span, event.threshold))

    def change(
        self,
        choice: str | None,
        touched: Touched,
        tried: tuple[Outcome, ...],
        source: str | None,
        visit: Visit,
        request: gr.Request,
    ) -> Iterator[Updates]:
        from usam.intervene import Intervened, intervene

        def work(engine: Engine, entry: Entry, progress: Progress) -> Intervened:
            intervention = intervention_of(choice, touched.span, random.randrange(1000))
            clip, baseline = self._baseline(engine, entry, source, touched, progress)
            return intervene(engine, clip, baseline, intervention, progress)

        def shown(result: Intervened) -> Updates:
            rows = (*tried, outcome_of(result))
            return {self.panel.tried: rows, self.panel.outcomes: html.outcomes(rows)}

        yield from self._study(work, shown, self.panel.outcomes, visit, request)

    def test(
        self, reference: str, touched: Touched, source: str | None, visit: Visit, request: gr.Request
    ) -> Iterator[Updates]:
        from usam.deletion import DeletionTest, deletion_test

        def work(engine: Engine, entry: Entry, progress: Progress) -> DeletionTest:
            clip, baseline = self._baseline(engine, entry, source, touched, progress)
            return deletion_test(
                engine, clip, baseline, reference=reference.strip() or None, progress=progress
            )

        def shown(result: DeletionTest) -> Updates:
            return {self.panel.tested: html.deletion(result)}

        yield from self._study(work, shown, self.panel.tested, visit, request)

    def lean(self, source: str | None, visit: Visit, request: gr.Request) -> Iterator[Updates]:
        from usam.attribution import Attribution, attribute

        def work(engine: Engine, entry: Entry, progress: Progress) -> tuple[Entry, Attribution]:
            clip, baseline = self._baseline(engine, entry, source, Touched(), progress)
            window = engine.config.queries_per_window
            return entry, attribute(engine, clip, baseline, group=window, progress=progress)

        def shown(found: tuple[Entry, Attribution]) -> Updates:
            return {
                self.inspector.viewer: gr.HTML(leaning=leaned_on(*found)),
                self.panel.leaning: render.saved("Pick a word above the picture."),
            }

        yield from self._study(work, shown, self.panel.leaning, visit, request)

    def replay(self, source: str | None, visit: Visit, request: gr.Request) -> Iterator[Updates]:
        from usam.replay import Replay, replay

        def work(engine: Engine, entry: Entry, progress: Progress) -> Replay:
            return replay(engine, clip_of(entry, source, self.studio.listen), entry.answer, progress)

        def shown(result: Replay) -> Updates:
            return {self.panel.replayed: html.replayed(result)}

        yield from self._study(work, shown, self.panel.replayed, visit, request)

    def _baseline(
        self, engine: Engine, entry: Entry, source: str | None, touched: Touched, progress: Progress
    ) -> tuple[Clip, Answer]:
        """The clip, and the answer with its own tokens, its redundancy as the viewer shows it.

        A stored answer comes without its tokens and is asked again first. Raises UsamError, also when it has
        become another answer: then nobody could tell what of a change is due to the intervention.
        """
        from usam.replay import replay

        clip, answer = clip_of(entry, source, self.studio.listen), entry.answer
        if not answer.ids:
            again = replay(engine, clip, answer, progress)
            if not again.same_answer:
                raise RequestError(
                    f"This stored answer cannot be tried out: asked again, it is “{again.answer.text}”. "
                    f"{again.verdict()}"
                )
            answer = again.answer
        if touched.threshold is not None:
            answer = replace(answer, trace=answer.trace.flagged(touched.threshold))
        return clip, answer

    def _study(
        self,
        work: Callable[[Engine, Entry, Progress], Found],
        shown: Callable[[Found], Updates],
        place: gr.HTML,
        visit: Visit,
        request: gr.Request,
    ) -> Iterator[Updates]:
        """Run one study and show what it found, or why it found nothing, in `place`."""
        stop = self.studio.studies.stop_event(page_of(request))
        due = 0.0
        try:
            entry = visit.current
            if entry is None:
                raise RequestError("There is no answer to try this on. Ask first.")
            engine = self.studio.loader.engine
            if stop.is_set():  # while it waited in line
                raise GivenUpError
            for event in steps(lambda progress: work(engine, entry, progress), stop):
                if isinstance(event, Done):
                    yield shown(event.result)
                elif isinstance(event, Step) and time.monotonic() >= due:
                    due = time.monotonic() + REDRAW_SECONDS
                    yield {self.panel.status: render.working(event.message, event.share)}
        except GivenUpError:
            yield {self.panel.status: ""}
        except UsamError as error:
            yield {place: render.fault(str(error))}
        except Exception:
            log.exception("a study failed")
            yield {place: render.fault(UNEXPECTED)}

    def release(self, request: gr.Request) -> Updates:
        self.studio.studies.end(page_of(request))
        return self._busy(False)

    def _busy(self, running: bool) -> Updates:
        """The buttons make way for the progress and Stop."""
        return {
            self.panel.progress: gr.Row(visible=running),
            self.panel.stop: gr.Button("Stop", interactive=True),
            **{button: gr.Button(interactive=not running) for button in self.panel.starts},
        }


def connect_what_if(
    inspector: InspectorPanel, studio: Studio, source: gr.Audio, visit: gr.State, outputs: list[Any]
) -> None:
    """Attach the section's handlers; `source` is the clip in the page's player."""
    bench, panel = Bench(inspector, studio), inspector.what_if
    quiet: dict[str, Any] = {"outputs": outputs, "show_progress": "hidden", "api_visibility": "private"}
    fast: dict[str, Any] = {**quiet, "queue": False}
    study: dict[str, Any] = {**quiet, "concurrency_id": STUDY, "concurrency_limit": 1}
    inspector.viewer.touched(bench.touched, visit, **fast)
    panel.stop.click(bench.stop, None, **fast)
    for button, handler, inputs in (
        (panel.run, bench.change, [panel.change, panel.touched, panel.tried]),
        (panel.test, bench.test, [panel.reference, panel.touched]),
        (panel.lean, bench.lean, []),
        (panel.replay, bench.replay, []),
    ):
        turn = button.click(bench.reserve, None, **fast)
        ran = turn.success(handler, [*inputs, source, visit], **study)
        ran.then(bench.release, None, **fast)
