"""Limits on requests per minute."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from usam.errors import RequestError


class RateLimit:
    """At most `count` requests of one key within a minute; 0 is no limit. Safe to share between threads."""

    def __init__(self, count: int, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        """what: the plural of what is counted, for the sentence that refuses."""
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
        now = self._clock()
        with self._lock:
            # A key that sent nothing for a minute is forgotten.
            self._times = {key: times for key, times in self._times.items() if times[-1] > now - 60}
            times = self._times.get(key, deque())
            while times and times[0] <= now - 60:
                times.popleft()
            if len(times) >= self.count:
                wait = max(1, round(times[0] + 60 - now))
                raise RequestError(f"At most {self.count} {self.what} a minute. Try again in {wait} s.")
            if count:
                times.append(now)
                self._times[key] = times

    def give_back(self, key: str) -> None:
        """Take back what was counted last."""
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

    def __init__(self, count: int, of_all: int, what: str = "attempts") -> None:
        """of_all: 0 is no limit."""
        self._each = RateLimit(count, what)
        self._all = RateLimit(of_all, f"{what} by all callers together")
        self._known: set[str] = set()

    def take(self, key: str) -> None:
        """Count a guess before it is checked. Raises RequestError when it is one too many."""
        self._each.take(key)
        if key not in self._known:
            self._all.take("all")

    def was_right(self, key: str) -> None:
        """Take back the last guess, which was right."""
        self._each.give_back(key)
        if key not in self._known:
            self._all.give_back("all")
        if self._all.count:
            self._known.add(key)
