"""Files made for one person to download, once, at whichever process they ask."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, select

from storage.database import schema
from storage.database.connection import Database
from storage.errors import plain_errors

FOLDER = "downloads"


@dataclass(frozen=True)
class PreparedFiles:
    """A key is kept as its hash: who reads the database takes nothing with it. Every method may raise
    StorageError."""

    database: Database

    def offer(self, key: str, name: str, file: Path, kept: timedelta) -> None:
        """Whoever has the key may take a copy of the file, once, and for as long as `kept`. name: what the
        browser saves it as."""
        path = f"{FOLDER}/{secrets.token_hex(16)}"
        with self.database.write() as session:
            until = schema.now() + kept
            session.add(schema.PreparedFile(key=_hash(key), name=name, path=path, until=until))
        self.database.files.put(path, file)  # later: files without a row are nobody's

    def take(self, key: str) -> tuple[str, BinaryIO] | None:
        """Its name and the open file, which is gone for everybody else; None for a key that opens nothing."""
        prepared = schema.PreparedFile
        mine = delete(prepared).where(prepared.key == _hash(key), prepared.until >= schema.now())
        with self.database.write() as session:  # of two who come at once, one deletes the row
            row = session.execute(mine.returning(prepared.name, prepared.path)).one_or_none()
        if row is None:
            return None
        file = self.database.files.get(row.path)
        if file is None:
            return None
        with plain_errors():
            content = os.fdopen(os.open(file, os.O_RDONLY), "rb")
        self.database.files.remove(row.path)
        return row.name, content

    def clean(self) -> None:
        """Delete what nobody took in time."""
        prepared = schema.PreparedFile
        late = delete(prepared).where(prepared.until < schema.now()).returning(prepared.path)
        with self.database.write() as session:
            paths = session.scalars(late).all()
        for path in paths:
            self.database.files.remove(path)

    def clean_all(self) -> None:
        """The same, and files that no row refers to, as earlier versions left them."""
        self.clean()
        found = self.database.files.paths(f"{FOLDER}/")  # before the rows: a file comes after its row
        with self.database.read() as session:
            known = set(session.scalars(select(schema.PreparedFile.path)))
        for path in set(found) - known:
            self.database.files.remove(path)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
