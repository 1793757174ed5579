"""Copies of the database and of kept audio on storage that outlives the machine, and restoring them at a
start.

The folder may be a mounted bucket, on which SQLite cannot work and where a copy may be cut in half by the
machine's end. So a snapshot is made beside the live database, carries the hash of its content in its name,
and one that does not match is no snapshot.
"""

import hashlib
import logging
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from sqlalchemy import make_url, select

from storage.answers.kept_audio import FOLDER as AUDIO
from storage.database.connection import BUSY_TIMEOUT, Database, sync
from storage.database.schema import Clip, now
from storage.errors import StorageError, plain_errors

log = logging.getLogger(__name__)

KEPT = 2  # one more than is needed: what people delete is in the older one for a while
_STAMP = "%Y%m%d-%H%M%S"
_PART = ".part"


@dataclass(frozen=True)
class Snapshots:
    """The snapshots in `folder`, which has to be there: nobody but an administrator can mount it."""

    folder: Path

    def save(self, database: Database) -> Path | None:
        """Write a snapshot and the kept audio it refers to, unless nothing changed since the last one.

        Returns the snapshot's file. Raises StorageError; earlier snapshots stay until this one is complete.
        """
        self._check_folder()
        began = now()
        if not self._changed(database):
            return None
        with plain_errors(), tempfile.TemporaryDirectory(dir=database.folder, prefix=".snapshot-") as scratch:
            copy = database.backup(Path(scratch) / "feedback.db")
            target = self.folder / f"feedback-{began:{_STAMP}}-{_hash(copy)}.db"
            _copy(copy, target)
            self._save_audio(database)
            for old in [*self._found()[KEPT:], *self.folder.rglob(f"*{_PART}")]:
                old.unlink(missing_ok=True)
        return target

    def bring_back(self, url: str) -> Path | None:
        """Restore the newest complete snapshot, with its audio, where the SQLite file is missing.

        Returns the snapshot; None where the database is there, or where there never was a snapshot. Call it
        before the database is opened. Raises StorageError when there are snapshots and none is complete.
        """
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite" or not parsed.database:
            raise StorageError("Snapshots are for SQLite; use your database's own tools.")
        file = Path(parsed.database).expanduser().resolve()
        self._check_folder()
        with plain_errors():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(f"{file}.lock", timeout=BUSY_TIMEOUT):
                return None if file.exists() else self._put(file)

    def _put(self, file: Path) -> Path | None:
        snapshots = self._found()
        for snapshot in snapshots:
            for suffix in ("-wal", "-shm"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            with suppress(OSError):
                shutil.copytree(self.folder / AUDIO, file.parent / AUDIO, dirs_exist_ok=True)
            if _copy(snapshot, file, expected=snapshot.stem.rsplit("-", 1)[-1]):
                log.warning("the database was missing; it was restored from the snapshot %s", snapshot.name)
                return snapshot
            log.warning("the snapshot %s is damaged", snapshot.name)
        if snapshots:
            raise StorageError(f"No snapshot in {self.folder} is complete. Move them away to start empty.")
        return None

    def _save_audio(self, database: Database) -> None:
        """Make the folder's audio that of the database: files never change, so names are enough."""
        with database.read() as session:
            wanted = {path for path in session.scalars(select(Clip.audio_path)) if path}
        (self.folder / AUDIO).mkdir(exist_ok=True)
        for there in (self.folder / AUDIO).iterdir():
            if f"{AUDIO}/{there.name}" not in wanted:
                there.unlink(missing_ok=True)
        for path in wanted:
            source, target = database.folder / path, self.folder / path
            if source.is_file() and not target.is_file():
                _copy(source, target)

    def _changed(self, database: Database) -> bool:
        file = database.sqlite_file()
        files = [file, file.with_name(f"{file.name}-wal")]
        latest = max(path.stat().st_mtime for path in files if path.exists())
        return not any(_made(snapshot) > latest for snapshot in self._found())

    def _found(self) -> list[Path]:
        """The newest first; other files are ignored."""
        return sorted(filter(_made, self.folder.glob("feedback-*.db")), reverse=True)

    def _check_folder(self) -> None:
        if not self.folder.is_dir():
            raise StorageError(
                f"The folder for snapshots, {self.folder}, does not exist. Mount or create it."
            )


def _made(snapshot: Path) -> float:
    """When a snapshot was begun, s since the epoch, by its name; 0 for other files."""
    try:
        stamp = "-".join(snapshot.stem.split("-")[1:3])
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _copy(source: Path, target: Path, expected: str | None = None) -> bool:
    """Copy a file so that no half of it ever has the target's name; not at all if its hash is unexpected."""
    part = target.with_name(target.name + _PART)
    try:
        part.touch(mode=0o600)
        shutil.copyfile(source, part)
        if expected is not None and _hash(part) != expected:
            return False
        sync(part)
        part.replace(target)
        return True
    finally:
        part.unlink(missing_ok=True)


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:32]
