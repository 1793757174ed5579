"""Asks the model about clips that wait to become items of projects, one after another, beside visitors."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from storage import Database, ProcessLock, StorageError, is_held, only_process
from storage.annotation.imports import ProjectImports, WaitingItem
from storage.errors import NotFoundError
from usam.errors import RequestError, UsamError

log = logging.getLogger(__name__)

VANISHED = "The clip's file is not there any more; import it again."
ELSEWHERE = "Another process imports now, and will take up these clips as well."
ENDING = "Another process asks about one more clip, and then stops importing."
FAILED = "The import ended unexpectedly; the server's log says why. Start goes on where it was."

LOOK_SECONDS = 20.0
"""Between two looks at whether clips wait that no process asks about."""
PAUSE_SECONDS = 300.0
"""After a failure, for which a process leaves the rest to others, unless a person goes on there: a model that
does not load would else be loaded over and over."""
_LOCK = "import"

FATAL = "The app ended more than once while it asked about this clip. Go on tries it again."
MOST_ATTEMPTS = 2  # at which a process ended: else one clip could end one replica after another

Answer = Callable[[WaitingItem, Path, threading.Event], str | None]
"""Asks about a clip, by its file, and stores the answer: its id, None where it was stopped. Raises UsamError
for the clip, ModelError where the model cannot answer anything, StorageError."""


class ModelError(Exception):
    """No clip can be asked about. `str(error)` is the sentence to show."""


@dataclass(frozen=True)
class ImportState:
    """done: how many clips were dealt with since the start, `left` how many wait. seconds_left: None where it
    is not known yet. ended: why it stopped before the end, in a sentence. elsewhere: another process imports.
    due: clips wait that nobody stopped."""

    running: bool = False
    project: str = ""
    source: str = ""
    done: int = 0
    left: int = 0
    seconds_left: float | None = None
    ended: str = ""
    elsewhere: bool = False
    due: bool = False


class ProjectImporter:
    """At most one run at a time, also among processes on one database, each of which goes on with what
    another left. A person stops it for all of them. Safe to share between threads."""

    def __init__(self, database: Database, answer: Answer) -> None:
        self.imports = ProjectImports(database)
        self.state = ImportState()
        self._answer = answer
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._paused_until = 0.0

    def start(self) -> None:
        """Begin, or go on with what nobody stopped; nothing happens while a run is under way."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stop.clear()
            self.state = ImportState(running=True, left=self.imports.waiting())
            self._thread = threading.Thread(target=self._in_background, name="project-import", daemon=True)
            self._thread.start()

    def resume(self) -> None:
        """Go on with what an earlier run of the app left and nobody stopped. Raises StorageError."""
        self.imports.clean()
        if self.imports.due():
            self.start()

    def look(self) -> None:
        """Go on where clips wait and no process imports, because the one that did is gone. Called every
        LOOK_SECONDS where there are several processes."""
        if self.state.running or time.monotonic() < self._paused_until:
            return
        try:
            if self.imports.due() and not is_held(self.imports.database, _LOCK):
                self.start()
        except StorageError as error:
            log.warning("whether clips wait to be imported is not known: %s", error)

    def stop(self) -> None:
        """End the run, whichever process is at it, after the clip that is being asked about; what waits is
        kept, and stays stopped after a restart. Raises StorageError."""
        try:
            self.imports.stop()
        finally:
            self._stop.set()
        self.join()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def current(self) -> ImportState:
        """`state`, and where it is not running, whether another process imports or some will go on. Raises
        StorageError."""
        state = self.state
        if state.running:
            return state
        due = self.imports.due()
        elsewhere = is_held(self.imports.database, _LOCK)
        return replace(state, elsewhere=elsewhere, due=due, ended=state.ended if due else "")

    def run(self, report: Callable[[ImportState], None] = lambda state: None) -> None:
        """Ask about all that waits, in this thread. How it ended is in `state`."""
        ended, elsewhere = "", False
        try:
            with only_process(self.imports.database, _LOCK) as lock:
                if lock:
                    self._run(lock, report)
                else:
                    elsewhere = True
        except (ModelError, StorageError) as error:
            ended = str(error)
        except Exception:
            log.exception("an import failed")
            ended = FAILED
        self.state = replace(
            self.state, running=False, ended=ended, elsewhere=elsewhere, source="", seconds_left=None
        )
        report(self.state)

    def _in_background(self) -> None:
        self.run()
        if self.state.ended:
            log.warning("an import ended before its end: %s", self.state.ended)
            self._paused_until = time.monotonic() + PAUSE_SECONDS

    def _run(self, lock: ProcessLock, report: Callable[[ImportState], None]) -> None:
        began, done = time.monotonic(), 0
        while not self._stop.is_set() and (item := self._next(lock)):
            left = self.imports.waiting()
            pace = (time.monotonic() - began) / done if done else None
            seconds = None if pace is None else pace * left
            self.state = ImportState(True, item.project, item.source, done, left, seconds)
            report(self.state)
            if not self._import(item):
                break
            done += 1
        self.state = replace(self.state, done=done, left=self.imports.waiting())

    def _next(self, lock: ProcessLock) -> WaitingItem | None:
        lock.check()  # else two processes could ask about the same clip
        return self.imports.next()

    def _import(self, item: WaitingItem) -> bool:
        """Whether the clip was dealt with; not where it was stopped."""
        if self.imports.begin(item) >= MOST_ATTEMPTS:
            self.imports.failed(item, FATAL)
            return True
        try:
            return self._ask(item)
        finally:
            self.imports.end(item)

    def _ask(self, item: WaitingItem) -> bool:
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
