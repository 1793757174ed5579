"""Loads the engine in the background, so that the page appears at once and can show the progress."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from usam.errors import UsamError
from usam.progress import ProgressCallback

if TYPE_CHECKING:
    from usam.engine.engine import Engine

log = logging.getLogger(__name__)

LoadEngine = Callable[[ProgressCallback], "Engine"]


@dataclass(frozen=True)
class LoadState:
    """`step` names the current step, `fraction` is the share done, in [0, 1]; `error` is a sentence to
    show."""

    step: str = "Starting"
    fraction: float = 0.0
    ready: bool = False
    error: str | None = None


class EngineLoader:
    """Holds the one engine of the process; `load` is called in a thread of its own."""

    def __init__(self, load: LoadEngine) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._changed = threading.Event()
        self._engine: Engine | None = None
        self.state = LoadState()

    def start(self) -> None:
        """Begin to load, or begin again after a failure; nothing happens during a load or after it."""
        with self._lock:
            if self._engine is not None or (self._thread is not None and self._thread.is_alive()):
                return
            self.state = LoadState()
            self._thread = threading.Thread(target=self._run, name="load-engine", daemon=True)
            self._thread.start()

    def join(self) -> None:
        """Wait until the load that was started has ended, well or not."""
        if self._thread is not None:
            self._thread.join()

    def wait(self, stop: threading.Event) -> Iterator[LoadState]:
        """Yield the state until the engine is ready or `stop` is set. Raises UsamError if the load fails."""
        self.start()
        while not (self.state.ready or stop.is_set()):
            if self.state.error:
                raise UsamError(self.state.error)
            yield self.state
            self._changed.wait(timeout=0.25)
            self._changed.clear()

    def replace(self, load: LoadEngine, progress: ProgressCallback) -> None:
        """Load another engine in the caller's thread; from then on it is the engine of the process. Whoever
        uses the old one keeps it until they are done, and it stays where the load fails.

        Raises UsamError, also while there is no engine to replace yet.
        """
        _ = self.engine
        self._engine = load(progress)

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            raise UsamError("The model is still loading. Ask again in a moment.")
        return self._engine

    def _run(self) -> None:
        try:
            self._engine = self._load(self._report)
            self._set(LoadState("Ready", 1.0, ready=True))
        except UsamError as error:
            self._set(LoadState(error=str(error)))
        except Exception:
            log.exception("loading the engine failed")
            self._set(LoadState(error="The model could not be loaded; the server's log says why."))

    def _report(self, step: str, fraction: float) -> None:
        self._set(LoadState(step, fraction))

    def _set(self, state: LoadState) -> None:
        self.state = state
        self._changed.set()
