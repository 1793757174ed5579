"""Limits on requests per minute, of one process or of all that share a database."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from storage import StorageError
from storage.replicas.request_counts import RequestCounts
from usam.errors import RequestError


class RateLimit:
    """At most `count` requests of one key within a minute; 0 is no limit. Safe to share between threads."""

    def __init__(
        self,
        count: int,
        what: str,
        clock: Callable[[], float] = time.monotonic,
        shared: RequestCounts | None = None,
    ) -> None:
        """what: the plural of what is counted, for the sentence that refuses.  shared: counts for all
        processes; None: this one is alone."""
        self._shared = shared
        self.count = count
        self.what = what
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[str, deque[float]] = {}

    def take(self, key: str | None) -> None:
        """Count one request. None is not limited. Raises RequestError when it is one too many."""
        self._look(key, count=True)

    def check(self, key: str | None) -> None:
        """Raises RequestError when the next request would be one too many; counts nothing."""
        self._look(key, count=False)

    def _look(self, key: str | None, *, count: bool) -> None:
        if not self.count or key is None:
            return
        if self._shared:
            self._look_shared(self._shared, key, count=count)
            return
        now = self._clock()
        with self._lock:
            # A key that sent nothing for a minute is forgotten.
            self._times = {key: times for key, times in self._times.items() if times[-1] > now - 60}
            times = self._times.get(key, deque())
            while times and times[0] <= now - 60:
                times.popleft()
            if len(times) >= self.count:
                raise self._refusal(times[0] + 60 - now)
            if count:
                times.append(now)
                self._times[key] = times

    def _look_shared(self, shared: RequestCounts, key: str, *, count: bool) -> None:
        try:
            wait = (shared.take if count else shared.check)(self.what, key, self.count)
        except StorageError as error:
            raise RequestError(str(error)) from error
        if wait is not None:
            raise self._refusal(wait)

    def _refusal(self, wait: float) -> RequestError:
        return RequestError(
            f"At most {self.count} {self.what} a minute. Try again in {max(1, round(wait))} s."
        )

    def give_back(self, key: str) -> None:
        """Take back what was counted last."""
        if self._shared:
            with suppress(StorageError):  # then it counts for a minute
                self._shared.give_back(self.what, key)
            return
        with self._lock:
            times = self._times.get(key)
            if times:
                times.pop()
            if not times:
                self._times.pop(key, None)


class GuessLimit:
    """Limits wrong guesses at a secret: per minute and key, and for all callers together.

    Whoever guessed right before is not locked out by the guesses of others. Safe to share between threads.
    """

    def __init__(self, count: int, of_all: int, at: str, shared: RequestCounts | None = None) -> None:
        """of_all: 0 is no limit.  at: names the secret that is guessed at.  shared: see `RateLimit`."""
        self._each = RateLimit(count, "attempts", shared=shared)
        self._all = RateLimit(of_all, "attempts by all callers together", shared=shared)
        self._at = at
        self._known: set[str] = set()

    def take(self, key: str) -> None:
        """Count a guess before it is checked. Raises RequestError when it is one too many."""
        self._each.take(f"{self._at} {key}")
        if key not in self._known:
            self._all.take(self._at)

    def was_right(self, key: str) -> None:
        """Take back the last guess, which was right."""
        self._each.give_back(f"{self._at} {key}")
        if key not in self._known:
            self._all.give_back(self._at)
        if self._all.count:
            self._known.add(key)
