"""Asks the model about clips that wait to become items of projects, one after another, beside visitors."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from storage import Database, StorageError, only_process
from storage.annotation.imports import ProjectImports, WaitingItem
from storage.errors import NotFoundError
from usam.errors import RequestError, UsamError

log = logging.getLogger(__name__)

VANISHED = "The clip's file is not there any more; import it again."
ELSEWHERE = "Another process imports now, and will take up these clips as well."
FAILED = "The import ended unexpectedly; the server's log says why. Start goes on where it was."

Answer = Callable[[WaitingItem, Path, threading.Event], str | None]
"""Asks about a clip, by its file, and stores the answer: its id, None where it was stopped. Raises UsamError
for the clip, ModelError where the model cannot answer anything, StorageError."""


class ModelError(Exception):
    """No clip can be asked about. `str(error)` is the sentence to show."""


@dataclass(frozen=True)
class ImportState:
    """done: how many clips were dealt with since the start, `left` how many wait. seconds_left: None where it
    is not known yet. ended: why it stopped before the end, in a sentence."""

    running: bool = False
    project: str = ""
    source: str = ""
    done: int = 0
    left: int = 0
    seconds_left: float | None = None
    ended: str = ""


class ProjectImporter:
    """At most one run at a time, also among processes on one database, each of which can go on with what
    another left. Safe to share between threads."""

    def __init__(self, database: Database, answer: Answer) -> None:
        self.imports = ProjectImports(database)
        self.state = ImportState()
        self._answer = answer
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, or go on; nothing happens while a run is under way."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stop.clear()
            self.state = ImportState(running=True, left=self.imports.waiting())
            self._thread = threading.Thread(target=self.run, name="project-import", daemon=True)
            self._thread.start()

    def resume(self) -> None:
        """Go on with what an earlier run of the app left. Raises StorageError."""
        self.imports.clean()
        if self.imports.waiting():
            self.start()

    def stop(self) -> None:
        """End the run after the clip that is being asked about; what waits is kept."""
        self._stop.set()
        self.join()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def run(self, report: Callable[[ImportState], None] = lambda state: None) -> None:
        """Ask about all that waits, in this thread. How it ended is in `state`."""
        ended = ""
        try:
            with only_process(self.imports.database, "import") as mine:
                if mine:
                    self._run(report)
                else:
                    ended = ELSEWHERE
        except (ModelError, StorageError) as error:
            ended = str(error)
        except Exception:
            log.exception("an import failed")
            ended = FAILED
        self.state = replace(self.state, running=False, ended=ended, source="", seconds_left=None)
        report(self.state)

    def _run(self, report: Callable[[ImportState], None]) -> None:
        began, done = time.monotonic(), 0
        while not self._stop.is_set() and (item := self.imports.next()):
            left = self.imports.waiting()
            pace = (time.monotonic() - began) / done if done else None
            seconds = None if pace is None else pace * left
            self.state = ImportState(True, item.project, item.source, done, left, seconds)
            report(self.state)
            if not self._import(item):
                break
            done += 1
        self.state = replace(self.state, done=done, left=self.imports.waiting())

    def _import(self, item: WaitingItem) -> bool:
        """Whether the clip was dealt with; not where it was stopped."""
        try:
            file = self.imports.file(item)
            if file is None:
                raise RequestError(VANISHED)
            answer_id = self._answer(item, file, self._stop)
        except UsamError as error:
            self.imports.failed(item, str(error))
            return True
        if answer_id is None:
            return False
        try:
            self.imports.answered(item, answer_id)
        except NotFoundError as error:  # discarded meanwhile
            log.info("an imported clip is no item: %s", error)
        return True
