"""Requests of the last minute, counted for all processes together."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage.database import schema
from storage.database.connection import Database
from storage.database.locks import wait_for_turn

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class RequestCounts:
    """Who sends them is kept as a hash with `secret`, for a minute. Every method may raise StorageError."""

    database: Database
    secret: str = field(repr=False)

    def take(self, what: str, key: str, most: int) -> float | None:
        """Count one request, unless there were `most` of this kind and key within a minute: then the seconds
        until there is room."""
        who = self._hash(key)
        with self.database.write() as session:
            wait_for_turn(session, f"requests {what} {who}")
            if (wait := _wait(session, what, who, most)) is None:
                session.add(schema.RequestTime(what=what, who=who))
            return wait

    def check(self, what: str, key: str, most: int) -> float | None:
        """As `take`, but nothing is counted."""
        with self.database.read() as session:
            return _wait(session, what, self._hash(key), most)

    def give_back(self, what: str, key: str) -> None:
        """Take back what was counted last."""
        time = schema.RequestTime
        last = (
            select(time.id).filter_by(what=what, who=self._hash(key)).order_by(time.at.desc(), time.id.desc())
        )
        with self.database.write() as session:
            session.execute(delete(time).where(time.id == last.limit(1).scalar_subquery()))

    def clean(self) -> None:
        """Forget who sent nothing for a minute."""
        with self.database.write() as session:
            session.execute(delete(schema.RequestTime).where(schema.RequestTime.at < schema.now() - MINUTE))

    def _hash(self, key: str) -> str:
        return hmac.digest(self.secret.encode(), key.encode("utf-8", "replace"), hashlib.sha256).hex()


def _wait(session: Session, what: str, who: str, most: int) -> float | None:
    time, now = schema.RequestTime, schema.now()
    times = session.scalars(
        select(time.at).where(time.what == what, time.who == who, time.at > now - MINUTE).order_by(time.at)
    ).all()
    return None if len(times) < most else (times[-most] + MINUTE - now).total_seconds()
