"""What one transaction, or one process, alone may do at a time, of all processes on one database."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.database.connection import Database
from storage.errors import plain_errors


def wait_for_turn(session: Session, name: str) -> None:
    """Wait until no other transaction that writes has the turn of this name, and hold it until this one ends.

    SQLite has one writer at a time anyway, which waits when its transaction begins.
    """
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_number(name))))


@contextmanager
def only_process(database: Database, name: str) -> Iterator[bool]:
    """Whether this is the only process that has the lock of this name: nobody else gets it before the block
    ends. It ends with the process, whatever happens to that. Raises StorageError."""
    if database.file:
        lock = FileLock(database.file.with_name(f"{database.file.name}-{name}.lock"), thread_local=False)
        with plain_errors(), suppress(Timeout):
            lock.acquire(timeout=0)
        try:
            yield lock.is_locked
        finally:
            lock.release()
        return
    # A session of its own, which holds the lock: not a transaction, which would keep old rows from being
    # cleared away meanwhile.
    with plain_errors():
        connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with plain_errors():
            mine = bool(connection.scalar(select(func.pg_try_advisory_lock(_number(name)))))
        yield mine
    finally:
        connection.invalidate()  # the server's session ends, and the lock with it
        connection.close()


def _number(name: str) -> int:
    """64 bits that other programs on the same server are unlikely to use."""
    digest = hashlib.sha256(f"U-SAM Studio: {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
