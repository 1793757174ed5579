"""Who is signed in: a person's cookie is good at every process, and after a restart."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from storage.database import schema
from storage.database.connection import Database

LOGIN_TIME = timedelta(days=30)


@dataclass(frozen=True)
class Login:
    """name: the account's.  credential: names the password that it was made with."""

    name: str
    credential: str


@dataclass(frozen=True)
class LoginStore:
    """A login is known by the hash of its token: who reads the database cannot sign in with it. Every method
    may raise StorageError."""

    database: Database

    def add(self, key: str, login: Login) -> None:
        """Good for LOGIN_TIME; what is older is deleted."""
        with self.database.write() as session:
            session.execute(delete(schema.Login).where(schema.Login.created_at < _oldest()))
            session.merge(schema.Login(token=key, name=login.name, credential=login.credential))

    def get(self, key: str) -> Login | None:
        with self.database.read() as session:
            found = session.get(schema.Login, key)
            known = found is not None and found.created_at >= _oldest()
            return Login(found.name, found.credential) if found and known else None

    def remove(self, key: str) -> None:
        with self.database.write() as session:
            session.execute(delete(schema.Login).where(schema.Login.token == key))

    def keys(self) -> list[str]:
        with self.database.read() as session:
            return list(session.scalars(select(schema.Login.token)))


def _oldest() -> datetime:
    return schema.now() - LOGIN_TIME
