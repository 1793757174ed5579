"""Which page is being answered right now, and how to stop it."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from storage import StorageError
from storage.replicas.queue_places import Held, QueuePlaces
from usam.errors import RequestError

log = logging.getLogger(__name__)

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
        self,
        most: int = 32,
        most_each: int = 8,
        clock: Callable[[], float] = time.monotonic,
        shared: QueuePlaces | None = None,
    ) -> None:
        """most: places there are. most_each: how many of these one visitor may hold. shared: counts the
        places of all processes; None: this one is alone."""
        self._shared = shared
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
            if self._shared and page in self._runs:
                return False
            held = self._take_shared(page, visitor) if self._shared else self._held(visitor)
            if held.elsewhere:
                return False
            mine, everyone = held.mine, held.all
            if visitor is not None and mine >= self._most_each:
                raise RequestError(too_many_waiting(mine))
            if everyone >= self._most:
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
                self._drop(page)

    def renew(self) -> None:
        """Called every `queue_places.RENEW_SECONDS`: the places of this process are still held."""
        if self._shared:
            try:
                self._shared.renew()
            except StorageError as error:
                log.warning("places in the queue could not be renewed: %s", error)

    def _held(self, visitor: str | None) -> Held:
        """How many places there are taken."""
        return Held(sum(run.visitor == visitor for run in self._runs.values()), len(self._runs))

    def _take_shared(self, page: str, visitor: str | None) -> Held:
        """The same, of all processes; where there is room, the page has a place there now."""
        assert self._shared is not None
        try:
            who = None if visitor is None else hashlib.sha256(visitor.encode()).hexdigest()
            return self._shared.take(page, who, self._most, self._most_each)
        except StorageError as error:
            raise RequestError(str(error)) from error

    def _drop(self, page: str) -> None:
        self._runs.pop(page).stop.set()
        if self._shared:
            try:
                self._shared.give_back(page)
            except StorageError as error:
                log.warning("a place in the queue lapses later: %s", error)

    def _drop_unused(self) -> None:
        late = self._clock() - UNUSED_SECONDS
        old = [page for page, run in self._runs.items() if run.lapses and run.began < late]
        for page in old:
            if not self.is_queued(page):
                self._drop(page)


def too_many_waiting(count: int) -> str:
    """The sentence for a visitor who has their share of the queue."""
    return f"Too many questions of yours are waiting: {count}. Try again when one is answered."
