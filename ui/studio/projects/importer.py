"""Asks the model about clips that wait to become items of projects, one after another, beside visitors."""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storage import Database, StorageError, only_process
from storage.annotation.imports import Added, NewItem, ProjectImports, WaitingItem
from storage.answers.kept_audio import UPLOADS
from storage.errors import NotFoundError
from usam.errors import RequestError, UsamError

log = logging.getLogger(__name__)

ELSEWHERE = "Another process imports now, and will take up these clips as well."
FAILED = "The import ended unexpectedly; the server's log says why. Start goes on where it was."

Answer = Callable[[WaitingItem, threading.Event], str | None]
"""Asks about a clip and stores the answer: its id, None where it was stopped. Raises UsamError for the clip,
ModelError where the model cannot answer anything, StorageError."""


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
    """At most one run at a time, also among processes on one database. Safe to share between
    threads. `folder` has the uploaded clips that were not asked about yet."""

    def __init__(self, database: Database, answer: Answer) -> None:
        self.imports = ProjectImports(database)
        self.folder = database.folder / UPLOADS
        self.state = ImportState()
        self._answer = answer
        self._lock = threading.Lock()
        self._files = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add_uploads(self, project: str, items: Sequence[NewItem]) -> Added:
        """Have uploaded clips asked about; they are copied first, because uploads are deleted after a while.
        Raises StorageError."""
        place = self.folder / secrets.token_hex(8)
        with self._files:
            try:
                place.mkdir(mode=0o700, parents=True)
                copies: dict[Path, Path] = {}
                for item in items:
                    if item.path not in copies:
                        copies[item.path] = place / f"{len(copies)}{item.path.suffix}"
                        shutil.copyfile(item.path, copies[item.path])
                added = self.imports.add(project, [replace(item, path=copies[item.path]) for item in items])
            except OSError as error:
                raise StorageError(f"The clips could not be copied: {error.strerror}.") from error
            finally:
                self._clean()  # also copies of clips that are in the project already
        return added

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
        self.clean()
        if self.imports.waiting():
            self.start()

    def stop(self) -> None:
        """End the run after the clip that is being asked about; what waits is kept."""
        self._stop.set()
        self.join()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def discard(self, project: str) -> None:
        """Ask about none of a project's clips that wait or failed. Raises StorageError."""
        self.imports.discard(project)
        self.clean()

    def clean(self) -> None:
        """Delete copies of uploads that are not needed any more. Raises StorageError."""
        with self._files:
            self._clean()

    def _clean(self) -> None:
        if self.folder.is_dir():
            needed = self.imports.paths()
            for file in self.folder.glob("*/*"):
                if file not in needed:
                    file.unlink(missing_ok=True)
            for place in self.folder.iterdir():
                if place.is_dir() and not any(place.iterdir()):
                    place.rmdir()

    def run(self, report: Callable[[ImportState], None] = lambda state: None) -> None:
        """Ask about all that waits, in this thread. How it ended is in `state`."""
        ended = ""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        elsewhere: set[int] = set()
        while not self._stop.is_set() and (item := self.imports.next(without=elsewhere)):
            if self._is_elsewhere(item):
                elsewhere.add(item.key)
                continue
            left = self.imports.waiting()
            pace = (time.monotonic() - began) / done if done else None
            seconds = None if pace is None else pace * left
            self.state = ImportState(True, item.project, item.source, done, left, seconds)
            report(self.state)
            if not self._import(item):
                break
            done += 1
        self.state = replace(self.state, done=done, left=self.imports.waiting())

    def _is_elsewhere(self, item: WaitingItem) -> bool:
        """Whether the clip was uploaded to a machine with a data folder of its own, which asks about it."""
        return self.imports.database.served and UPLOADS in item.path.parts and not item.path.is_file()

    def _import(self, item: WaitingItem) -> bool:
        """Whether the clip was dealt with; not where it was stopped."""
        try:
            if not item.path.is_file():
                raise RequestError("There is no such file.")
            answer_id = self._answer(item, self._stop)
        except UsamError as error:
            self.imports.failed(item, str(error))
            return True
        if answer_id is None:
            return False
        try:
            self.imports.answered(item, answer_id)
        except NotFoundError as error:  # discarded meanwhile
            log.info("an imported clip is no item: %s", error)
        if self.folder in item.path.parents and item.path not in self.imports.paths():
            item.path.unlink(missing_ok=True)
        return True
