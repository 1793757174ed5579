"""Who has which item before them: it is offered to nobody else meanwhile, whichever process serves them.

A lease ends with the judgement, when its page closes, and by itself soon after the page, or the process that
served it, is gone: an open page renews what it holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import answer_key, dialect_insert, holder_of, page_key
from storage.database.locks import wait_for_turn

LEASE_TIME = timedelta(minutes=5)
RENEW_SECONDS = 60.0
"""How often an open page renews what it holds."""

Purpose = Literal["rating", "comparison"]


@dataclass(frozen=True)
class Leases:
    """What an open page does with what it holds. page: names it, to the person. Every method may raise
    StorageError."""

    database: Database

    def renew(self, annotator: str, page: str) -> None:
        held = (schema.Lease.person == holder_of(annotator), schema.Lease.page == page_key(page))
        with self.database.write() as session:
            session.execute(update(schema.Lease).where(*held).values(until=_until()))

    def take(self, answer_id: str, annotator: str, page: str) -> None:
        """Hold an answer that the person went back to, also one that others hold. Raises NotFoundError."""
        with self.database.write() as session:
            take(session, [answer_key(session, answer_id)], annotator, page, "rating")

    def release(self, page: str) -> None:
        """The page was closed."""
        with self.database.write() as session:
            session.execute(delete(schema.Lease).where(schema.Lease.page == page_key(page)))


def begin(session: Session, annotator: str, page: str, purpose: Purpose) -> None:
    """Let go of what the page holds, to choose anew. Until the transaction ends nobody else chooses, so that
    of two who ask at once the second sees what the first was given."""
    wait_for_turn(session, "leases")
    lease = schema.Lease
    own = and_(lease.person == holder_of(annotator), lease.page == page_key(page), lease.purpose == purpose)
    session.execute(delete(lease).where(or_(lease.until < schema.now(), own)))


def take(
    session: Session, answers: Sequence[UUID], annotator: str, page: str, purpose: Purpose
) -> list[UUID]:
    """Lease the answers to the person on this page; those of them that nobody is deleting right now."""
    there = select(schema.Answer.id).where(schema.Answer.id.in_(answers))
    kept = set(session.scalars(there.with_for_update(read=True, key_share=True, skip_locked=True)))
    taken = [answer for answer in answers if answer in kept]
    if taken:
        person, here, until = holder_of(annotator), page_key(page), _until()
        rows = [
            {"answer_id": id_, "person": person, "purpose": purpose, "page": here, "until": until}
            for id_ in taken
        ]
        moved = {"page": here, "until": until}  # from another page of the same person
        keys = ["answer_id", "person", "purpose"]
        insert = dialect_insert(session)(schema.Lease).values(rows)
        session.execute(insert.on_conflict_do_update(index_elements=keys, set_=moved))
    return taken


def held_by_others(annotator: str, answer: Any, purpose: Purpose = "rating") -> ScalarSelect[int]:
    """How many other people have the answer before them."""
    lease = schema.Lease
    others = select(func.count()).where(*_current(answer, purpose), lease.person != holder_of(annotator))
    return others.correlate(schema.Answer).scalar_subquery()


def held_elsewhere(
    annotator: str, page: str | None, answer: Any, purpose: Purpose = "rating"
) -> ColumnElement[bool]:
    """That the person has the answer before them on another page."""
    own = exists().where(*_current(answer, purpose), schema.Lease.person == holder_of(annotator))
    return own if page is None else own.where(schema.Lease.page != page_key(page))


def _current(answer: Any, purpose: Purpose) -> tuple[ColumnElement[bool], ...]:
    lease = schema.Lease
    return lease.answer_id == answer, lease.purpose == purpose, lease.until >= schema.now()


def _until() -> Any:
    return schema.now() + LEASE_TIME
