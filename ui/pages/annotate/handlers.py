"""What happens on the Annotate page. Every step is saved before the next answer is shown."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import StorageError
from storage.analysis.consistency import SelfConsistency
from storage.annotation.queue import Order, Queue, QueueCounts
from storage.annotation.repeats import Repeats
from storage.errors import NotFoundError
from storage.ratings.results import Rating
from ui.components import messages
from ui.pages.annotate import render
from ui.pages.annotate.panel import AnnotatePanel, annotate_panel

if TYPE_CHECKING:
    from ui.studio.service import Studio

Updates = dict[Any, Any]
UNDOABLE = 50
NO_DRAFT = (
    "You have judged this answer before; it came again to see how steady you are. Submit it, or skip it."
)
_DONE = {"repeated": "judged again", "passed": "skipped"}
_SETTLED_JS = "() => { document.dispatchEvent(new Event('annotate:settled')); }"


@dataclass(frozen=True, eq=False)
class Sitting:
    """What one open page works on. current: id of the answer on display.  ahead: the next ones.
    done: (what was done, answer id), to be undone from the end.  begun: whether the answer on display
    came with a draft.  repeats: which of the answers the person has rated before.  counts: as of the last
    batch, and what was done since.  consistency: how far the person agrees with themselves."""

    order: Order = "entropy"
    audio_only: bool = True
    current: str | None = None
    ahead: tuple[str, ...] = ()
    done: tuple[tuple[str, str], ...] = ()
    begun: bool = False
    repeats: frozenset[str] = frozenset()
    consistency: tuple[SelfConsistency, ...] = ()
    counts: QueueCounts = field(default_factory=lambda: QueueCounts(0, 0, 0, 0))

    def after(self, action: str) -> Sitting:
        """The answer on display is dealt with: it was judged, skipped or drafted; one that came again was
        repeated or passed over, and counts nowhere."""
        done, counts, away = (*self.done, (action, self.current or "")), self.counts, action != "drafted"
        if action in ("repeated", "passed"):
            return replace(self, current=None, done=done[-UNDOABLE:])
        counts = replace(
            counts,
            judged=counts.judged + (action == "judged"),
            skipped=counts.skipped + (action == "skipped"),
            drafts=counts.drafts + (not away) - self.begun,
            left=counts.left - away,
        )
        return replace(self, current=None, done=done[-UNDOABLE:], counts=counts)

    def advanced(self) -> Sitting:
        """The next answer is on display, if one is ahead."""
        current, *ahead = self.ahead or (None,)
        return replace(self, current=current, ahead=tuple(ahead))

    @property
    def again(self) -> bool:
        """The answer on display is one that the person has rated before."""
        return self.current in self.repeats

    def back_to(self, answer_id: str) -> Sitting:
        """The last step is undone: its answer is on display again, before the one that was."""
        waiting = (self.current, *self.ahead)
        ahead = tuple(id_ for id_ in waiting if id_ and id_ != answer_id)
        return replace(self, current=answer_id, ahead=ahead, done=self.done[:-1])


class AnnotateHandlers:
    """The handlers of the page."""

    def __init__(
        self, panel: AnnotatePanel, sitting: gr.State, annotator: gr.BrowserState, studio: Studio
    ) -> None:
        self.panel = panel
        self.sitting = sitting
        self.annotator = annotator
        self.feedback = studio.feedback
        self.queue = Queue(studio.feedback.database, studio.settings.judgements)
        self.identity = studio.identity
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
        annotator = self.identity.annotator(annotator, request, profile)
        return {self.annotator: annotator, **self.started(annotator, order, audio_only)}

    def started(self, annotator: str, order: Order, audio_only: bool) -> Updates:
        """The queue from its beginning, in this order."""
        return self._guarded(lambda: self._next(Sitting(order, audio_only), annotator))

    def submit(self, *values: Any) -> Updates:
        """values: the rating's fields, then the sitting and the annotator."""
        *fields, sitting, annotator = values
        rating = self.panel.rating.as_rating(fields)
        action, save = (
            ("repeated", self.repeats.rate_again) if sitting.again else ("judged", self.feedback.rate)
        )
        return self._step(action, sitting, annotator, lambda id_: save(id_, annotator, **rating))

    def draft(self, *values: Any) -> Updates:
        *fields, sitting, annotator = values
        if sitting.again:
            return {self.panel.status: messages.fault(NO_DRAFT)}
        rating = self.panel.rating.as_rating(fields)
        return self._step("drafted", sitting, annotator, lambda id_: self.queue.draft(id_, annotator, rating))

    def skip(self, sitting: Sitting, annotator: str) -> Updates:
        if sitting.again:
            return self._step("passed", sitting, annotator, lambda id_: None)
        return self._step("skipped", sitting, annotator, lambda id_: self.queue.skip(id_, annotator))

    def undo(self, sitting: Sitting, annotator: str) -> Updates:
        """Take the last step back and show its answer again, filled in as it was."""

        def take_back() -> Updates:
            action, answer_id = sitting.done[-1]
            rating: Rating | dict[str, Any] | None
            if action == "judged":
                rating = self.feedback.rating(answer_id, annotator)
                self.feedback.undo(answer_id, annotator)
            elif action in ("repeated", "passed"):
                rating = self.repeats.second_rating(answer_id, annotator)
                self.repeats.withdraw(answer_id, annotator)
            else:
                rating = self.queue.item(answer_id, annotator).draft
                self.queue.requeue(answer_id, annotator)
            counts = self.queue.progress(annotator, audio_only=sitting.audio_only)
            consistency = tuple(self.repeats.self_consistency(annotator))
            now = replace(sitting.back_to(answer_id), counts=counts, consistency=consistency)
            undone = messages.saved(f"Undone: this one is not {_DONE.get(action, action)} any more")
            return {**self._shown(now, annotator, rating), self.panel.status: undone}

        if not sitting.done:
            return {self.panel.status: messages.status("Nothing to undo since this page was opened.")}
        return self._guarded(take_back)

    def _step(self, action: str, sitting: Sitting, annotator: str, save: Callable[[str], object]) -> Updates:
        """Save what was done with the answer on display, then show the next."""

        def step() -> Updates:
            save(sitting.current or "")
            after = sitting.after(action)
            if action == "repeated":
                after = replace(after, consistency=tuple(self.repeats.self_consistency(annotator)))
            return self._next(after, annotator)

        if sitting.current is None:
            return {self.panel.status: messages.fault(messages.LOST)}
        return self._guarded(step)

    def _next(self, sitting: Sitting, annotator: str) -> Updates:
        """Show what comes next; the database is asked for the order, and counted, once a batch."""
        if not sitting.ahead:
            ids = self.queue.upcoming(annotator, sitting.order, audio_only=sitting.audio_only)
            counts = self.queue.progress(annotator, audio_only=sitting.audio_only)
            wanted = sum(random.random() < self.repeat_share for _ in ids)
            again = self.repeats.due(annotator, wanted, audio_only=sitting.audio_only)
            sitting = replace(
                sitting,
                ahead=mixed(ids, again),
                repeats=sitting.repeats | set(again),
                counts=counts,
                consistency=tuple(self.repeats.self_consistency(annotator)),
            )
        return self._shown(sitting.advanced(), annotator)

    def _shown(
        self, sitting: Sitting, annotator: str, rating: Rating | dict[str, Any] | None = None
    ) -> Updates:
        panel, item = self.panel, None
        while sitting.current and item is None:
            try:
                item = self.queue.item(sitting.current, annotator)
            except NotFoundError:  # its owner deleted it while it waited here
                sitting = sitting.advanced()
        draft = item.draft if item and not sitting.again else None
        empty = render.empty(sitting.counts, audio_only=sitting.audio_only)
        return {
            self.sitting: replace(sitting, begun=draft is not None),
            panel.item: render.item(item, self.queue.ratings_wanted) if item else empty,
            panel.judge: gr.Column(visible=item is not None),
            panel.progress: render.progress(sitting.counts) + render.self_consistency(sitting.consistency),
            panel.status: messages.status("You began this one before.") if draft else "",
            **panel.rating.filled(rating or draft),
        }

    def _guarded(self, step: Callable[[], Updates]) -> Updates:
        """On failure only the status changes: what was typed stays."""
        try:
            return step()
        except StorageError as error:
            return {self.panel.status: messages.fault(str(error))}


def mixed(ids: Sequence[str], again: Sequence[str]) -> tuple[str, ...]:
    """The answers in their order, with those that come again at any place among them."""
    ahead = list(ids)
    for id_ in again:
        ahead.insert(random.randrange(len(ahead) + 1), id_)
    return tuple(ahead)


def annotate_page(demo: gr.Blocks, studio: Studio) -> None:
    """Lay the page out and connect it. Called inside its route's context."""
    settings = studio.settings
    panel, sitting = annotate_panel(settings), gr.State(Sitting())
    annotator = gr.BrowserState("", storage_key="usam-annotator", secret=settings.browser_secret())
    handlers = AnnotateHandlers(panel, sitting, annotator, studio)
    outputs = [
        panel.item, panel.judge, panel.progress, panel.status, sitting, annotator, *panel.rating.blocks
    ]  # fmt: skip
    # Past the queue, which is full while many wait for the model: a judgement must be saved even then.
    fast: dict[str, Any] = {
        "outputs": outputs, "show_progress": "hidden", "api_visibility": "private", "queue": False
    }  # fmt: skip
    place, step = [annotator, panel.order, panel.audio_only], [sitting, annotator]
    rating = panel.rating.blocks
    steps = [
        demo.load(handlers.opened, place, **fast),
        panel.order.input(handlers.started, place, **fast),
        panel.audio_only.input(handlers.started, place, **fast),
        panel.submit.click(handlers.submit, [*rating, *step], **fast),
        panel.draft.click(handlers.draft, [*rating, *step], **fast),
        panel.skip.click(handlers.skip, step, **fast),
        panel.undo.click(handlers.undo, step, **fast),
    ]
    for done in steps:
        done.then(None, js=_SETTLED_JS)  # also when the same answer stays: the keys listen again
