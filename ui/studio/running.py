"""Which page is being answered right now, and how to stop it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from usam.errors import RequestError

UNUSED_SECONDS = 60.0
"""How long a page keeps its place without a queued or running request. A browser takes a moment to send one,
and to acknowledge the answer; one that never does blocks no place for longer."""


@dataclass
class _Run:
    """visitor: who it is counted for; None for whoever runs the app.  lapses: whether the place is lost
    without a queued or running request."""

    visitor: str | None
    began: float
    lapses: bool
    stop: threading.Event = field(default_factory=threading.Event)


class RunningRequests:
    """At most one running answer a page, and a limited number for each visitor. A page is known by its
    session hash.

    is_queued: whether a request of a page waits or runs; called from any thread.
    """

    def __init__(
        self, most: int = 32, most_each: int = 8, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """most: places there are. most_each: how many of these one visitor may hold."""
        self.is_queued: Callable[[str], bool] = lambda page: False
        self._most = most
        self._most_each = most_each
        self._clock = clock
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}

    def begin(self, page: str, visitor: str | None = None, *, lapses: bool = True) -> bool:
        """Reserve the page for one answer; False while another one is still being written.

        lapses: False where the caller always ends it. Raises RequestError where the queue is full, or the
        visitor has their share of it.
        """
        with self._lock:
            self._drop_unused()
            held = sum(run.visitor == visitor for run in self._runs.values())
            if visitor is not None and held >= self._most_each:
                raise RequestError(too_many_waiting(held))
            if len(self._runs) >= self._most:
                raise RequestError(
                    f"The queue is full: {self._most} wait before you. Please try again in a minute."
                )
            if page in self._runs:
                return False
            self._runs[page] = _Run(visitor, self._clock(), lapses)
            return True

    def __contains__(self, page: object) -> bool:
        """Whether the page has a place."""
        with self._lock:
            self._drop_unused()
            return page in self._runs

    def __len__(self) -> int:
        """How many pages have a question waiting or being answered."""
        with self._lock:
            self._drop_unused()
            return len(self._runs)

    def stop_event(self, page: str) -> threading.Event:
        """The event that stops the page's answer; already set if Stop was pressed while it was queued.

        Without a place, as for programs, which reserve none, a new event.
        """
        with self._lock:
            run = self._runs.get(page)
            return run.stop if run else threading.Event()

    def stop(self, page: str) -> None:
        """Ask the page's answer to end; it ends after the current token."""
        with self._lock:
            if page in self._runs:
                self._runs[page].stop.set()

    def end(self, page: str) -> None:
        """Stop whatever still runs for the page and let it ask again."""
        with self._lock:
            if page in self._runs:
                self._runs.pop(page).stop.set()

    def _drop_unused(self) -> None:
        late = self._clock() - UNUSED_SECONDS
        old = [page for page, run in self._runs.items() if run.lapses and run.began < late]
        for page in old:
            if not self.is_queued(page):
                self._runs.pop(page).stop.set()


def too_many_waiting(count: int) -> str:
    """The sentence for a visitor who has their share of the queue."""
    return f"Too many questions of yours are waiting: {count}. Try again when one is answered."
