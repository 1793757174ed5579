"""What a running app does by itself: backups, snapshots, and forgetting what is too old."""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from storage.database.connection import Database
from storage.database.schema import now
from storage.errors import StorageError
from storage.feedback import Feedback
from storage.maintenance.snapshots import Snapshots
from storage.ratings.results import Forgotten

log = logging.getLogger(__name__)

KEPT_BACKUPS = 7
LOOK_SECONDS = 300.0


@dataclass(frozen=True)
class Upkeep:
    """backup_hours: hours between backups.  retention_days: age at which answers are forgotten.
    snapshots: where the database is copied to whenever it changed. None: never."""

    database: Database
    backup_hours: float | None = None
    retention_days: float | None = None
    snapshots: Snapshots | None = None

    @property
    def folder(self) -> Path:
        """Where its backups are; the newest KEPT_BACKUPS stay."""
        return self.database.folder / "backups"

    def start(self) -> None:
        """Look after the database from now on, in the background, for as long as the program runs."""
        if self.backup_hours or self.retention_days or self.snapshots:
            threading.Thread(target=self._forever, name="upkeep", daemon=True).start()

    def run(self) -> None:
        """Do what is due. Raises StorageError."""
        if self.retention_days:
            prune(self.database, self.retention_days)
        if self.backup_hours and self._age_of_newest() >= self.backup_hours * 3600:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.database.backup(self.folder / f"feedback-{now():%Y%m%d-%H%M%S}.db")
            for old in self._backups()[:-KEPT_BACKUPS]:
                old.unlink(missing_ok=True)
        if self.snapshots:
            self.snapshots.save(self.database)

    def _forever(self) -> None:
        while True:
            try:
                self.run()
            except (StorageError, OSError):
                log.exception("the upkeep of the database failed; it is tried again")
            time.sleep(LOOK_SECONDS)

    def _backups(self) -> list[Path]:
        return sorted(self.folder.glob("feedback-*.db"))

    def _age_of_newest(self) -> float:
        """s since the last backup, also of an earlier run of the program; without one, endless."""
        return min((time.time() - file.stat().st_mtime for file in self._backups()), default=float("inf"))


def prune(database: Database, days: float) -> Forgotten:
    """Forget every answer older than `days` with all that belongs to it. Raises StorageError."""
    if not 0 < days < 36_500:
        raise StorageError("The number of days is more than 0 and less than 36,500.")
    return Feedback(database).forget(before=now() - timedelta(days=days))
