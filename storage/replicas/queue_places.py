"""Places of questions that wait or are being answered, counted for all processes together.

A process renews its places; those of one that is gone lapse.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import delete, func, select, update

from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import page_key
from storage.database.locks import wait_for_turn

PLACE_TIME = timedelta(seconds=90)
RENEW_SECONDS = 30.0


@dataclass(frozen=True)
class Held:
    """How many places there were before: the visitor's and everyone's. elsewhere: whether another process
    has one for the page already."""

    mine: int
    all: int
    elsewhere: bool = False


@dataclass(frozen=True)
class QueuePlaces:
    """The places of one queue, as one process sees them. Every method may raise StorageError."""

    database: Database
    queue: str
    process: str = field(default_factory=lambda: uuid4().hex)

    def take(self, page: str, visitor: str | None, most: int, most_each: int) -> Held:
        """Take a place for a page, where it has none elsewhere and both numbers leave room.

        visitor: a hash; None is not limited by `most_each`.
        """
        place, key = schema.QueuePlace, page_key(page)
        with self.database.write() as session:
            wait_for_turn(session, f"places {self.queue}")
            session.execute(delete(place).where(place.queue == self.queue, place.until < schema.now()))
            there = session.get(place, (self.queue, key))
            everyone = select(func.count()).where(place.queue == self.queue)
            count = session.scalar(everyone) or 0
            mine = 0 if visitor is None else session.scalar(everyone.where(place.visitor == visitor)) or 0
            held = Held(mine, count, there is not None and there.process != self.process)
            if not held.elsewhere and count < most and mine < most_each:
                until = schema.now() + PLACE_TIME
                session.merge(
                    place(queue=self.queue, page=key, process=self.process, visitor=visitor, until=until)
                )
            return held

    def give_back(self, page: str) -> None:
        place = schema.QueuePlace
        with self.database.write() as session:
            mine = place.queue == self.queue, place.page == page_key(page), place.process == self.process
            session.execute(delete(place).where(*mine))

    def renew(self) -> None:
        place = schema.QueuePlace
        with self.database.write() as session:
            mine = place.queue == self.queue, place.process == self.process
            session.execute(update(place).where(*mine).values(until=schema.now() + PLACE_TIME))
