"""Secrets that all processes of one installation have to have in common."""

from dataclasses import dataclass

from sqlalchemy import select

from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import insert_missing


@dataclass(frozen=True)
class SecretStore:
    database: Database

    def get(self, name: str, proposed: str) -> str:
        """The secret of this name: `proposed` where there is none yet. Raises StorageError."""
        held = select(schema.Secret.value).filter_by(name=name)
        with self.database.read() as session:
            if (value := session.scalar(held)) is not None:
                return str(value)
        with self.database.write() as session:
            insert_missing(session, schema.Secret, name=name, value=proposed)
            return str(session.scalar(held))
