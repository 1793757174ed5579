"""Deletes kept audio of clips that a process on another machine, with a data folder of its own, deleted."""

import time
from pathlib import Path

from sqlalchemy import select

from storage.answers.kept_audio import FOLDER
from storage.database import schema
from storage.database.connection import Database
from storage.errors import plain_errors

BEING_STORED = 3600.0
"""s; younger files may be of an answer that is being recorded."""
AT_ONCE = 500


def remove_deleted_audio(database: Database) -> int:
    """Delete files of this machine, or copies of files in a bucket, that no clip refers to; returns how many.
    Raises StorageError."""
    with plain_errors():
        old = time.time() - (0 if database.files.shared else BEING_STORED)
        files = [file for file in (database.files.local / FOLDER).glob("*") if file.stat().st_mtime < old]
    removed = 0
    for first in range(0, len(files), AT_ONCE):
        some = {f"{FOLDER}/{file.name}": file for file in files[first : first + AT_ONCE]}
        with database.read() as session:
            kept = set(
                session.scalars(select(schema.Clip.audio_path).where(schema.Clip.audio_path.in_(some)))
            )
        removed += _remove([file for path, file in some.items() if path not in kept])
    return removed


def _remove(files: list[Path]) -> int:
    with plain_errors():
        for file in files:
            file.unlink(missing_ok=True)
    return len(files)
