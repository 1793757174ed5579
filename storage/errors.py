"""Errors a person can act on, and the translation of database and disk errors into them."""

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class StorageError(Exception):
    """Base of every expected failure; `str(error)` is one plain sentence to show as it is."""


class LockedError(StorageError):
    """Another program has locked the database for longer than the timeout."""


class DiskFullError(StorageError):
    """The disk is full."""


class ReadOnlyError(StorageError):
    """The data folder or the database file cannot be written."""


class CorruptError(StorageError):
    """The file is not a database, or is damaged."""


class SchemaError(StorageError):
    """The database was written by a newer version of this program, or is not as its version has it."""


class NotFoundError(StorageError):
    """There is no answer, annotator, clip or project with that id."""


class RecordError(StorageError):
    """The answer cannot be recorded: something it must have is missing or malformed."""


class RatingError(StorageError):
    """The rating or the vote is not one that can be given."""


class ProjectError(StorageError):
    """The project cannot be as it is described."""


Failure = tuple[type[StorageError], str]

_LOCKED: Failure = (LockedError, "The database is busy in another program; nothing was saved, try again.")
_FULL: Failure = (DiskFullError, "The disk is full; nothing was saved, free some space and try again.")
_READ_ONLY: Failure = (ReadOnlyError, "The file or folder {name} cannot be written.")
_OTHER_TABLES: Failure = (
    SchemaError,
    "The tables of the database are not those of the version that it names: an update was interrupted, or "
    "another program changed them. Restore a backup; nothing was saved.",
)
_BROKEN_RULE: Failure = (RecordError, "The record breaks a rule of the database; nothing was saved.")

_BY_SQLITE_CODE: dict[int, Failure] = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: (ReadOnlyError, "The database cannot be written; nothing was saved."),
    sqlite3.SQLITE_CANTOPEN: (ReadOnlyError, "The database file cannot be opened; check the data folder."),
    sqlite3.SQLITE_CORRUPT: (CorruptError, "The database file is damaged; restore a backup."),
    sqlite3.SQLITE_NOTADB: (CorruptError, "The file is not a feedback database."),
    sqlite3.SQLITE_CONSTRAINT: _BROKEN_RULE,
    sqlite3.SQLITE_IOERR: (StorageError, "The disk failed while reading or writing the database."),
}

_BY_ERRNO: dict[int, Failure] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.EROFS: _READ_ONLY,
}


_OTHER_TABLES_SQLITE = re.compile(
    "no such (table|column)|has no column|(table|index|trigger) .* already exists|duplicate column"
)
_OTHER_TABLES_POSTGRESQL = {"42P01", "42703", "42P07", "42701", "42710", "42704"}
"""Tables, columns or other objects that are not there, or are there already."""
_TRY_AGAIN_POSTGRESQL = {"40001", "40P01", "55P03"}
"""Two transactions changed the same rows at once: one of them has to be retried."""


def translate(error: Exception) -> StorageError:
    """The typed error, with its plain sentence, for what SQLAlchemy, sqlite3 or the disk raised."""
    cause = error.orig if isinstance(error, StatementError) else error
    if isinstance(cause, sqlite3.Error):
        if _OTHER_TABLES_SQLITE.search(str(cause)):
            return _OTHER_TABLES[0](_OTHER_TABLES[1])
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        kind, sentence = _BY_SQLITE_CODE.get(code, (StorageError, "The database failed; nothing was saved."))
        return kind(sentence)
    if isinstance(cause, TimeoutError | PoolTimeoutError):
        return _LOCKED[0](_LOCKED[1])
    if isinstance(cause, OSError):
        unusable: Failure = (StorageError, "The file or folder {name} cannot be used.")
        kind, sentence = _BY_ERRNO.get(cause.errno or 0, unusable)
        return kind(sentence.format(name=cause.filename))
    # What other databases' drivers raised, as SQLAlchemy sorts it; PostgreSQL's name the state as well.
    state = getattr(cause, "sqlstate", None)
    if state in _OTHER_TABLES_POSTGRESQL:
        return _OTHER_TABLES[0](_OTHER_TABLES[1])
    if state in _TRY_AGAIN_POSTGRESQL:
        return _LOCKED[0](_LOCKED[1])
    if isinstance(error, IntegrityError | DataError):
        return _BROKEN_RULE[0](_BROKEN_RULE[1])
    if isinstance(error, OperationalError):
        return StorageError("The database cannot be reached; nothing was saved, try again.")
    if isinstance(error, DBAPIError):
        return StorageError("The database failed; nothing was saved.")
    return RecordError("The record holds a value that cannot be stored; nothing was saved.")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raise every failure inside as a `StorageError`, chained with its cause."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, OverflowError) as error:
        raise translate(error) from error
