"""What happened, written down by all visitors at once, and compared with the database at the end."""

from __future__ import annotations

import sqlite3
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.endurance.page import RefusedError
from benchmarks.endurance.server import Server

LIMITS = (
    "The queue is full",
    "The last answer is still being written",
    "At most ",
    "Too many ",
    "There is no disk space",
)
"""How the messages of limits begin; any other refusal is an error."""
FAILURES = (httpx.HTTPError, RefusedError, OSError)
GRACE = 1.0  # s after a stream was cut within which the model may finish the token it is at and its records


@dataclass
class Ledger:
    """done: what visitors did, by name.  saved: the comment of each acknowledged rating.  left: when (s since
    the epoch) the stream of a question was cut.  pages: seconds of each page load, and whether an answer was
    streaming meanwhile."""

    server: Server
    done: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    limits: Counter[str] = field(default_factory=Counter)
    saved: set[str] = field(default_factory=set)
    left: dict[str, float] = field(default_factory=dict)
    pages: list[tuple[float, bool]] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    cut_by_outage: int = 0
    _streaming: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def act(self, name: str) -> AbstractContextManager[None]:
        """One thing a visitor does. What fails because the app was killed meanwhile is no error."""
        outages = self.server.outages
        return self.counted(name, lambda: self.server.outages != outages)

    @contextmanager
    def counted(
        self, name: str, was_killed: Callable[[], bool], failures: tuple[type[Exception], ...] = FAILURES
    ) -> Iterator[None]:
        """One thing that is done or fails in one of these ways; `was_killed`: whether by the kill."""
        try:
            yield
        except failures as error:
            with self._lock:
                if was_killed():
                    self.cut_by_outage += 1
                elif isinstance(error, RefusedError) and str(error).startswith(LIMITS):
                    self.limits[str(error)] += 1
                else:
                    self.errors.append(f"{name}: {type(error).__name__}: {error}")
        else:
            with self._lock:
                self.done[name] += 1

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """An answer is being written while the block runs."""
        with self._lock:
            self._streaming += 1
        try:
            yield
        finally:
            with self._lock:
                self._streaming -= 1

    @contextmanager
    def page_load(self) -> Iterator[None]:
        busy, began = self._streaming > 0, time.perf_counter()
        yield
        with self._lock:
            self.pages.append((time.perf_counter() - began, busy))

    def p95(self) -> float:
        """Seconds of a page load while answers stream, 95 in 100 of which are faster; NaN without twenty."""
        busy = [seconds for seconds, streaming in self.pages if streaming]
        return statistics.quantiles(busy, n=20)[-1] if len(busy) >= 20 else float("nan")


@dataclass(frozen=True)
class Found:
    """lost: acknowledged ratings that the database lacks.  went_on: questions whose answer was completed
    although its stream had been cut for longer than GRACE.  sound: whether SQLite finds its file whole."""

    lost: list[str]
    went_on: list[str]
    sound: bool


def compare(ledger: Ledger, database: Path) -> Found:
    """Look every acknowledged rating and every cut question up in the SQLite file."""
    with closing(sqlite3.connect(database)) as connection:
        kept = {comment for (comment,) in connection.execute("SELECT comment FROM rating_revisions")}
        completed = dict(connection.execute("SELECT question, created_at FROM answers WHERE NOT stopped"))
        whole = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    went_on = [
        question
        for question, when in ledger.left.items()
        if question in completed and _epoch(completed[question]) > when + GRACE
    ]
    return Found(sorted(ledger.saved - kept), went_on, whole)


def _epoch(stored: str) -> float:
    """Times are stored in UTC without saying so."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).timestamp()
