"""Whether a database can be read: looked at as it is on the disk, quickly."""

import sqlite3
from contextlib import closing

from sqlalchemy import select

from storage.database.connection import Database
from storage.database.schema import Base
from storage.errors import CorruptError, plain_errors

READ_WHOLE = 256 * 2**20
"""Bytes of an SQLite file up to which every page is read; of a larger one the first and last rows of each
table. Reading this much takes some hundred milliseconds."""


def check_readable(database: Database) -> None:
    """Touch every table. Raises StorageError: CorruptError, SchemaError, LockedError ..."""
    with plain_errors():
        if database.file is not None:
            _check_file(database)
        with database.read() as session:
            for table in Base.metadata.sorted_tables:
                session.execute(select(table).limit(1)).first()


def _check_file(database: Database) -> None:
    """By a connection of its own: those in use hold pages in memory that the disk may have lost since."""
    file = database.sqlite_file()
    if not file.is_file():
        raise CorruptError("The database file is gone; restore a backup.")
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
        if file.stat().st_size <= READ_WHOLE:
            if connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                raise CorruptError("The database file is damaged; restore a backup.")
            return
        for table in Base.metadata.sorted_tables:
            for order in ("ASC", "DESC"):
                connection.execute(f"SELECT * FROM {table.name} ORDER BY rowid {order} LIMIT 1").fetchall()
