"""What one transaction, or one process, alone may do at a time, of all processes on one database."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from filelock import FileLock, Timeout
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from storage.database.connection import Database
from storage.errors import plain_errors

MOMENT = 0.1
"""Seconds for which a file's lock is waited for: `is_held` takes it, and lets go at once."""
_HELD = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (CAST(classid AS bigint) << 32 | CAST(objid AS bigint)) = :number)"
)
_MISSED_SOON = text(
    "SELECT set_config('tcp_keepalives_idle', '30', false),"
    " set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false)"
)
"""Within a minute the server misses a machine that vanished, and frees its locks; else after two hours."""


@dataclass(frozen=True)
class ProcessLock:
    """A lock that this process got. session: the server's that holds it; None where it is a file's."""

    session: Connection | None = None

    def check(self) -> None:
        """Raises StorageError where the lock was lost, because the server ended its session: another process
        may have it by now."""
        if self.session is not None:
            with plain_errors():
                self.session.scalar(select(1))


def wait_for_turn(session: Session, name: str) -> None:
    """Wait until no other transaction that writes has the turn of this name, and hold it until this one ends.

    SQLite has one writer at a time anyway, which waits when its transaction begins.
    """
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_number(name))))


@contextmanager
def only_process(database: Database, name: str) -> Iterator[ProcessLock | None]:
    """The lock of this name, which nobody else gets before the block ends; None where another process has it.
    It ends with the process, whatever happens to that. Raises StorageError."""
    if database.file:
        lock = FileLock(database.file.with_name(f"{database.file.name}-{name}.lock"), thread_local=False)
        with plain_errors(), suppress(Timeout):
            lock.acquire(timeout=MOMENT, poll_interval=MOMENT / 10)
        try:
            yield ProcessLock() if lock.is_locked else None
        finally:
            lock.release()
        return
    # A session of its own, which holds the lock: not a transaction, which would keep old rows from being
    # cleared away meanwhile.
    with plain_errors():
        connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    mine = False
    try:
        with plain_errors():
            connection.execute(_MISSED_SOON)
            mine = bool(connection.scalar(select(func.pg_try_advisory_lock(_number(name)))))
        yield ProcessLock(connection) if mine else None
    finally:
        if mine:
            with suppress(SQLAlchemyError):
                connection.scalar(select(func.pg_advisory_unlock(_number(name))))
        connection.invalidate()  # the server's session ends soon, and the lock with it at the latest
        connection.close()


def is_held(database: Database, name: str) -> bool:
    """Whether a process, this one included, has the lock of this name now. Raises StorageError."""
    if database.file:
        with only_process(database, name) as free:
            return free is None
    with database.read() as session:
        return bool(session.scalar(_HELD, {"number": _number(name)}))


def _number(name: str) -> int:
    """64 bits that other programs on the same server are unlikely to use."""
    digest = hashlib.sha256(f"U-SAM Studio: {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
