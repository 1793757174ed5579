"""What one open Annotate page works on: the answer on display, the next ones, the steps to undo."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from storage.analysis.consistency import SelfConsistency
from storage.annotation.projects import Project
from storage.annotation.queue import Order, QueueCounts

UNDOABLE = 50


@dataclass(frozen=True, eq=False)
class AnnotationSession:
    """What one open page works on. current: id of the answer on display.  ahead: the next ones.
    done: (what was done, answer id), to be undone from the end.  begun: whether the answer on display
    came with a draft.  repeats: which of the answers the person has rated before.  counts: as of the last
    batch, and what was done since.  consistency: how far the person agrees with themselves.  project: whose
    items these are, None for the answers of no project.  page: names the page where it holds answers.
    leased: whether answers come that others have before them as well."""

    order: Order = "entropy"
    audio_only: bool = True
    project: Project | None = None
    current: str | None = None
    ahead: tuple[str, ...] = ()
    done: tuple[tuple[str, str], ...] = ()
    begun: bool = False
    repeats: frozenset[str] = frozenset()
    consistency: tuple[SelfConsistency, ...] = ()
    counts: QueueCounts = field(default_factory=lambda: QueueCounts(0, 0, 0, 0))
    page: str = ""
    leased: bool = False

    def after(self, action: str) -> AnnotationSession:
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

    def advanced(self) -> AnnotationSession:
        """The next answer is on display, if one is ahead."""
        current, *ahead = self.ahead or (None,)
        return replace(self, current=current, ahead=tuple(ahead))

    @property
    def again(self) -> bool:
        """The answer on display is one that the person has rated before."""
        return self.current in self.repeats

    def undone_to(self, answer_id: str) -> AnnotationSession:
        """The last step is undone: its answer is on display again, before the one that was."""
        waiting = (self.current, *self.ahead)
        ahead = tuple(id_ for id_ in waiting if id_ and id_ != answer_id)
        return replace(self, current=answer_id, ahead=ahead, done=self.done[:-1])


def mixed(ids: Sequence[str], again: Sequence[str]) -> tuple[str, ...]:
    """The answers in their order, with those that come again at any place among them."""
    ahead = list(ids)
    for id_ in again:
        ahead.insert(random.randrange(len(ahead) + 1), id_)
    return tuple(ahead)
