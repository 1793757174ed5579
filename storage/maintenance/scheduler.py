"""What a running app does by itself: backups, snapshots, and deleting old answers."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storage.answers.uploads import remove_abandoned
from storage.database.connection import Database
from storage.database.locks import only_process
from storage.database.schema import now
from storage.errors import StorageError
from storage.maintenance.deleted_audio import remove_deleted_audio
from storage.maintenance.retention import prune
from storage.maintenance.snapshots import Snapshots

log = logging.getLogger(__name__)

KEPT_BACKUPS = 7
LOOK_SECONDS = 300.0


@dataclass(frozen=True)
class MaintenanceScheduler:
    """Of several processes on one database, one does a task at a time.

    backup_hours: hours between backups.  retention_days: age at which answers are forgotten.
    snapshots: where the database is copied to whenever it changed. None: never.
    failures: of each task that failed when it last ran, why.

    Raises StorageError where the database cannot be backed up or copied from here.
    """

    database: Database
    backup_hours: float | None = None
    retention_days: float | None = None
    snapshots: Snapshots | None = None
    failures: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.database.file is None and self.backup_hours:
            raise StorageError(
                "USAM_BACKUP_HOURS is for SQLite: unset it, and back PostgreSQL up with its own tools."
            )
        if self.database.file is None and self.snapshots:
            raise StorageError(
                "USAM_SNAPSHOTS is for SQLite: unset it, and copy PostgreSQL with its own tools."
            )

    @property
    def folder(self) -> Path:
        """Where its backups are; the newest KEPT_BACKUPS stay."""
        return self.database.folder / "backups"

    def start(self) -> None:
        """Start the maintenance thread, which runs as long as the program does."""
        if any(True for _ in self._tasks()):
            threading.Thread(target=self._forever, name="maintenance", daemon=True).start()

    def run(self) -> None:
        """Do what is due. A task that fails is logged, tried again the next time, and stops no other."""
        for name, task in self._tasks():
            try:
                with only_process(self.database, name) as mine:
                    if mine:  # else another process is at it
                        task()
                self.failures.pop(name, None)
            except StorageError as error:
                self._failed(name, str(error))
            except Exception as error:
                log.exception("the %s failed", name)
                self._failed(name, f"It failed with {type(error).__name__}; the server's log says why.")

    def _failed(self, name: str, reason: str) -> None:
        if self.failures.get(name) != reason:  # not anew every five minutes
            log.error("the %s failed and is tried again: %s", name, reason)
        self.failures[name] = reason

    def _tasks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        if days := self.retention_days:
            yield "retention", lambda: prune(self.database, days)
        if hours := self.backup_hours:
            yield "backup", lambda: self._back_up(hours)
        if self.database.served:
            yield "removal of deleted audio", lambda: remove_deleted_audio(self.database)
            yield "removal of abandoned uploads", lambda: remove_abandoned(self.database)
        if snapshots := self.snapshots:
            yield "snapshot", lambda: snapshots.save(self.database)

    def _back_up(self, hours: float) -> None:
        if self._age_of_newest() < hours * 3600:
            return
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.database.backup(self.folder / f"feedback-{now():%Y%m%d-%H%M%S}.db")
        for old in self._backups()[:-KEPT_BACKUPS]:
            old.unlink(missing_ok=True)

    def _forever(self) -> None:
        while True:
            self.run()
            time.sleep(LOOK_SECONDS)

    def _backups(self) -> list[Path]:
        return sorted(self.folder.glob("feedback-*.db"))

    def _age_of_newest(self) -> float:
        """s since the last backup, also of an earlier run of the program; without one, endless."""
        return min((time.time() - file.stat().st_mtime for file in self._backups()), default=float("inf"))
