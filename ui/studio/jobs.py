"""Long tasks in a thread of their own, with progress and cancellation."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from usam.progress import ProgressCallback

Result = TypeVar("Result")


@dataclass(frozen=True)
class JobProgress:
    """What is being done, and the share of it that is done, in [0, 1]."""

    message: str
    share: float


@dataclass(frozen=True)
class JobResult(Generic[Result]):
    result: Result


class JobCancelledError(Exception):
    """The job was asked to stop."""


def run_job(
    work: Callable[[ProgressCallback], Result], stop: threading.Event
) -> Iterator[JobProgress | JobResult[Result]]:
    """Run `work` in a thread of its own: yields its progress, at last what it returns.

    Raises what the work raises, and JobCancelledError once `stop` is set: when the work next reports its
    progress. Closing the iterator stops the work as well.
    """
    reports: queue.SimpleQueue[JobProgress | None] = queue.SimpleQueue()

    def report(message: str, share: float) -> None:
        if stop.is_set():
            raise JobCancelledError
        reports.put(JobProgress(message, share))

    with ThreadPoolExecutor(1, thread_name_prefix="job") as pool:
        future = pool.submit(work, report)
        future.add_done_callback(lambda _: reports.put(None))
        try:
            while progress := reports.get():
                yield progress
            if stop.is_set():
                raise JobCancelledError
            result = future.result()
        finally:
            stop.set()
    yield JobResult(result)
