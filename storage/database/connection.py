"""Opens the database, makes commits durable, backs it up and restores it.

SQLite is the embedded default: write-ahead log, so that readers never wait; every commit reaches the
disk before it returns; transactions that write take the lock at their start, so that none fails half-way.
`USAM_DATABASE_URL` may name a PostgreSQL database instead.
"""

import json
import os
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session

from storage.errors import CorruptError, NotFoundError, SchemaError, StorageError, plain_errors
from storage.files import FileStore, LocalFiles, open_files

BUSY_TIMEOUT = 10.0
_MIGRATION_LOCK = 0x7573616D  # any number that other programs on the same server do not use

_alembic_turn = threading.Lock()  # alembic hands the migration scripts their connection through module state


def data_folder() -> Path:
    """Where the database and kept audio live: `USAM_DATA`, else the person's own data folder."""
    if named := os.environ.get("USAM_DATA"):
        return Path(named).expanduser().resolve()
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "usam"


class Database:
    """An open, migrated database. Safe to share between threads.

    folder: the data folder.  file: the SQLite file, None for other databases.  files: where kept audio,
    exports and checkpoints go; by default the data folder.
    """

    def __init__(
        self, engine: Engine, folder: Path, file: Path | None, files: FileStore | None = None
    ) -> None:
        self.files = files or LocalFiles(folder)
        self.engine = engine
        self.folder = folder
        self.file = file
        # PostgreSQL would otherwise show each statement of a session the latest commits.
        self._reading = engine if file else engine.execution_options(isolation_level="REPEATABLE READ")
        self._writing = engine.execution_options(write=True)
        # SQLite has one writer at a time; queueing here is fairer and faster than its polling.
        self._turn: AbstractContextManager[Any] = threading.Lock() if file else nullcontext()

    @property
    def served(self) -> bool:
        """Whether a server holds it, so that processes on other machines may use it as well."""
        return self.file is None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one consistent snapshot. Raises StorageError."""
        with plain_errors(), Session(self._reading) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed, to the disk, when the block ends, or undone if it raises.

        Raises StorageError.
        """
        with plain_errors(), self._turn, Session(self._writing) as session, session.begin():
            yield session

    def backup(self, file: str | Path) -> Path:
        """Write a consistent, checked copy of the live database to `file`; kept audio is not in it.

        Raises StorageError; an earlier file of that name stays as it was until the copy is complete.
        """
        live, target = self.sqlite_file(), Path(file).expanduser().resolve()
        if target == live or target.is_dir():
            raise StorageError(f"{target} cannot be the backup file; name another one.")
        with plain_errors():
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
            os.close(handle)
            temporary = Path(name)
            try:
                with closing(self.engine.raw_connection()) as pooled:
                    _copy(cast(sqlite3.Connection, pooled.driver_connection), temporary)
                _check(temporary)
                sync(temporary)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        return target

    def restore(self, file: str | Path) -> None:
        """Replace everything in the database by the backup in `file`, in one transaction.

        The backup is first copied, checked and brought to this version's schema; whatever fails, the
        current data stays. Raises NotFoundError, CorruptError, SchemaError, StorageError.
        """
        live, source = self.sqlite_file(), Path(file).expanduser().resolve()
        if not source.is_file():
            raise NotFoundError(f"There is no backup file {source}.")
        if source == live:
            raise StorageError("The database cannot be restored from itself.")
        with plain_errors(), tempfile.TemporaryDirectory(dir=live.parent, prefix=".restore-") as scratch:
            copy = Path(scratch) / "feedback.db"
            try:
                with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as connection:
                    _copy(connection, copy)
                _check(copy)
            except (sqlite3.Error, CorruptError) as error:
                raise CorruptError(
                    f"{source.name} is damaged or not a feedback database; your data is unchanged."
                ) from error
            engine = _sqlite_engine(copy, BUSY_TIMEOUT)
            try:
                migrate(engine)
            finally:
                engine.dispose()
            with (
                self._turn,
                closing(sqlite3.connect(copy)) as checked,
                closing(self.engine.raw_connection()) as pooled,
            ):
                checked.backup(cast(sqlite3.Connection, pooled.driver_connection))

    def truncate_log(self) -> None:
        """Empty SQLite's write-ahead log, so that what was deleted is no longer in it either."""
        if self.file:
            with plain_errors(), closing(self.engine.raw_connection()) as pooled:
                pooled.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every idle connection."""
        self.engine.dispose()

    def sqlite_file(self) -> Path:
        """Raises StorageError when the database is not SQLite."""
        if self.file is None:
            raise StorageError("Backup and restore here are for SQLite; use your database's own tools.")
        return self.file


def open_database(
    url: str | None = None, *, busy_timeout: float = BUSY_TIMEOUT, storage: str | None = None
) -> Database:
    """Open the database, creating its folder and bringing its schema up to date where needed.

    url: an SQLAlchemy URL; else `USAM_DATABASE_URL`; else the SQLite file `feedback.db` in `USAM_DATA`
      (default: ~/.local/share/usam). Kept audio goes beside an SQLite file, else in the data folder.
    busy_timeout: seconds to wait for another program's lock.
    storage: what `storage.files.open_files` opens; else `USAM_STORAGE`.

    Raises StorageError: LockedError, ReadOnlyError, DiskFullError, SchemaError, CorruptError.
    """
    storage = storage or os.environ.get("USAM_STORAGE")
    parsed = _parse(url or os.environ.get("USAM_DATABASE_URL") or _default_url())
    if parsed.get_backend_name() != "sqlite":
        engine = _other_engine(parsed)
        migrate(engine)
        folder = data_folder()
        with plain_errors():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Database(engine, folder, None, open_files(storage, folder))
    if parsed.database in (None, "", ":memory:"):
        raise StorageError("The database URL must name a file; a database in memory keeps nothing.")
    file = Path(parsed.database).expanduser().resolve()
    with plain_errors():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Two first starts at once would both turn on the write-ahead log, and one would fail.
        with FileLock(f"{file}.lock", timeout=busy_timeout):
            _keep_private(file)
            engine = _sqlite_engine(file, busy_timeout)
            migrate(engine)
    return Database(engine, file.parent, file, open_files(storage, file.parent))


def _keep_private(file: Path) -> None:
    """Let nobody but its owner read the database, also in a folder that others can enter.

    The write-ahead log gets the permissions of the file, so that a new one is made here, not by SQLite.
    """
    if not file.exists():
        file.touch(mode=0o600)
    for part in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
        if part.exists() and (mode := stat.S_IMODE(part.stat().st_mode)) & 0o077:
            with suppress(PermissionError):  # somebody else's, who decides
                part.chmod(mode & 0o700)


def migrate(engine: Engine) -> None:
    """Bring the schema up to date, in one transaction where the database allows.

    Raises SchemaError when the database was written by a newer version, or its tables are not those of the
    version that it names.
    """
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("recursive_version_locations", "true")
    scripts = ScriptDirectory.from_config(config)
    with plain_errors(), _alembic_turn:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current == scripts.get_current_head():
            return
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise SchemaError("The database was written by a newer version of U-SAM Studio; update the app.")
        with engine.execution_options(write=True).begin() as connection:
            if connection.dialect.name == "postgresql":  # of several first starts one migrates, the rest wait
                connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _default_url() -> URL:
    return URL.create("sqlite", database=str(data_folder() / "feedback.db"))


def _parse(url: str | URL) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise StorageError(
            "The database URL is not valid; a valid one is sqlite:////data/feedback.db."
        ) from error


_to_json = partial(json.dumps, allow_nan=False, separators=(",", ":"))


def _other_engine(url: URL) -> Engine:
    if url.get_backend_name() != "postgresql":
        raise StorageError("The database URL must name an SQLite file or a PostgreSQL database.")
    try:
        # The ping finds connections that a restart of the server has cut.
        return create_engine(url, json_serializer=_to_json, pool_pre_ping=True)
    except (NoSuchModuleError, ImportError) as error:
        raise StorageError(f"The driver for {url.drivername} databases is not installed.") from error


def _sqlite_engine(file: Path, busy_timeout: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file)),
        json_serializer=_to_json,
        connect_args={"timeout": busy_timeout},
        pool_timeout=busy_timeout,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver would begin them
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database page by page while others write to it; the copy is one plain file, without a log."""
    with closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _check(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not sound or connection.execute("PRAGMA foreign_key_check").fetchone():
            raise CorruptError("The copy of the database is damaged.")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            raise CorruptError("The file is not a feedback database.")


def sync(file: Path) -> None:
    """Wait until the file is on the disk. Raises OSError."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
