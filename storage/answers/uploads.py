"""Clips that were uploaded for a project: kept where all machines find them, until the model was asked."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from storage.database import schema
from storage.database.connection import Database
from storage.errors import plain_errors
from storage.files import FileStore, safe_suffix

FOLDER = "project_clips"
EARLIER_FOLDER = "imports"
"""Of the data folder, where an earlier version kept them; rows name these files by their whole paths."""
BEING_ADDED = timedelta(hours=1)
"""Files come before their rows, so that younger ones may be of an upload that is being added."""
_WHEN = "%Y%m%dT%H%M%S"


def new_path(source: Path) -> str:
    """Where to keep a copy of an uploaded file; begins with the time."""
    return f"{FOLDER}/{schema.now():{_WHEN}}-{secrets.token_hex(8)}{safe_suffix(source)}"


def is_upload(path: str) -> bool:
    """Whether a row of imports names a kept copy, not a file of the machine that it was imported on."""
    return path.startswith(f"{FOLDER}/")


def local_file(files: FileStore, path: str) -> Path | None:
    """The file that a row of imports names; None where it is not, or not on this machine. Raises
    StorageError."""
    if is_upload(path):
        return files.get(path)
    with plain_errors():
        return Path(path) if Path(path).is_file() else None


def remove_unneeded(database: Database, paths: Iterable[str]) -> None:
    """Delete what no row names any longer; files that were never uploaded stay. Raises StorageError."""
    earlier = database.folder / EARLIER_FOLDER
    uploads = {path for path in paths if is_upload(path) or earlier in Path(path).parents}
    for path in uploads - _needed(database) if uploads else ():
        if is_upload(path):
            database.files.remove(path)
        else:
            with plain_errors():
                Path(path).unlink(missing_ok=True)


def remove_abandoned(database: Database) -> None:
    """Delete what a process that died left without a row, and copies of what another machine deleted.
    Raises StorageError."""
    files = database.files
    # One process alone, as it starts, adds nothing yet.
    latest = schema.now() - (BEING_ADDED if database.served else timedelta())
    found = [path for path in files.paths(f"{FOLDER}/") if _kept_before(path, latest)]  # before the rows
    with plain_errors():
        copies = list((files.local / FOLDER).glob("*")) if files.shared else []
    if not found and not copies:
        return
    needed = _needed(database)
    for path in set(found) - needed:
        files.remove(path)
    with plain_errors():
        for copy in copies:
            if f"{FOLDER}/{copy.name}" not in needed and copy.is_file():
                copy.unlink(missing_ok=True)


def _needed(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(schema.ProjectImport.path)))


def _kept_before(path: str, then: datetime) -> bool:
    try:
        when = datetime.strptime(path.removeprefix(f"{FOLDER}/").partition("-")[0], _WHEN)
    except ValueError:  # not ours
        return False
    return when.replace(tzinfo=UTC) <= then
