"""`/health` and `/ready`: for monitoring the server, also while the model loads."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from storage import Database, StorageError, check_readable
from storage.errors import CorruptError, LockedError, SchemaError
from storage.maintenance.scheduler import MaintenanceScheduler
from ui.engines.loader import EngineLoader, LoadState

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""More frequent requests get the last result: anybody may ask, and a check costs time."""
MIN_FREE_DISK = 100 * 2**20
"""Bytes; with less, answers and ratings soon cannot be saved."""


@dataclass
class HealthMonitor:
    """Checks the app's health. Safe to share between threads."""

    loader: EngineLoader
    database: Database
    maintenance: MaintenanceScheduler
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _found: tuple[float, list[str]] | None = field(default=None, repr=False)

    def problems(self) -> list[str]:
        """What is broken, a sentence each, from a look at most LOOK_SECONDS old."""
        with self._lock:
            now = self.clock()
            if self._found is None or now - self._found[0] >= LOOK_SECONDS:
                self._found = (now, [*self._database(), *self._disk()])
            return self._found[1]

    def warnings(self) -> list[str]:
        """What fails in the background while everything else works; the server's log says why."""
        return [f"The {task} failed when it last ran." for task in sorted(self.maintenance.failures)]

    def _database(self) -> list[str]:
        try:
            check_readable(self.database)
        except LockedError:  # another program is using it, so it works
            return []
        except StorageError as error:
            log.error("the database cannot be read: %s", error)
            # Of other failures the sentence may name a path of the server.
            known = isinstance(error, CorruptError | SchemaError)
            return [str(error) if known else "The database cannot be read."]
        return []

    def _disk(self) -> list[str]:
        try:
            free = shutil.disk_usage(self.database.folder).free
        except OSError:
            return ["The data folder is gone."]
        if free < MIN_FREE_DISK:
            return [f"The disk is nearly full: {free // 2**20} MB are left for answers and ratings."]
        return []


def health_route(monitor: HealthMonitor) -> Route:
    """The route, for Gradio's `app_kwargs`."""

    async def health(request: Request) -> JSONResponse:
        problems = await run_sync(monitor.problems)
        body = describe(monitor.loader.state, problems, monitor.warnings())
        return JSONResponse(body, 503 if body["problems"] else 200, {"Cache-Control": "no-store"})

    return Route("/health", health, methods=["GET", "HEAD"])


def ready_route(monitor: HealthMonitor) -> Route:
    """200 once questions are answered, 503 before that and while anything is broken: whether a proxy may send
    visitors here. `/health` says whether to restart it."""

    async def ready(request: Request) -> JSONResponse:
        problems = await run_sync(monitor.problems)
        state = monitor.loader.state
        answers = state.ready and not problems
        return JSONResponse({"ready": answers}, 200 if answers else 503, {"Cache-Control": "no-store"})

    return Route("/ready", ready, methods=["GET", "HEAD"])


def describe(state: LoadState, problems: Sequence[str] = (), warnings: Sequence[str] = ()) -> dict[str, Any]:
    """`status` is loading, ready or failed; `step` and `progress`, from 0 to 1, say how far the model is.
    `problems`: what is broken, the model first, `error` the first of them; `warnings`: what else failed."""
    broken = [*([state.error] if state.error else []), *problems]
    status = "failed" if broken else "ready" if state.ready else "loading"
    return {
        "status": status,
        "step": state.step,
        "progress": round(state.fraction, 3),
        "error": broken[0] if broken else None,
        "problems": broken,
        "warnings": list(warnings),
    }
