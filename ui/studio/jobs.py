"""Long work on the engine, watched step by step and given up when somebody presses Stop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from usam.progress import Progress

Result = TypeVar("Result")


@dataclass(frozen=True)
class Step:
    """What is being done, and the share of it that is done, in [0, 1]."""

    message: str
    share: float


@dataclass(frozen=True)
class Done(Generic[Result]):
    result: Result


class GivenUpError(Exception):
    """Somebody pressed Stop."""


def steps(work: Callable[[Progress], Result], stop: threading.Event) -> Iterator[Step | Done[Result]]:
    """Run `work` in a thread of its own: yields its steps, at last what it returns.

    Raises what the work raises, and GivenUpError once `stop` is set: at the step that the work is at. Who
    stops reading stops the work as well.
    """
    told: queue.SimpleQueue[Step | None] = queue.SimpleQueue()

    def tell(message: str, share: float) -> None:
        if stop.is_set():
            raise GivenUpError
        told.put(Step(message, share))

    with ThreadPoolExecutor(1, thread_name_prefix="study") as pool:
        future = pool.submit(work, tell)
        future.add_done_callback(lambda _: told.put(None))
        try:
            while step := told.get():
                yield step
            if stop.is_set():
                raise GivenUpError
            result = future.result()
        finally:
            stop.set()
    yield Done(result)
