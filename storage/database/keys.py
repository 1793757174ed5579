"""Ids of people and answers: new ones, and the keys of the rows they stand for."""

import hashlib
import re
import secrets
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.database import schema
from storage.errors import LockedError, NotFoundError, StorageError

ATTEMPTS = 5


def new_annotator() -> str:
    """A random id for a new person, to be kept in their browser."""
    return secrets.token_urlsafe(16)


def annotator_key(session: Session, public_id: str) -> int:
    """The person's key, made when they are new. Raises StorageError when the id is not one."""
    if not isinstance(public_id, str) or not re.fullmatch(r"[\w.-]{1,64}", public_id, re.ASCII):
        raise StorageError("An annotator id is 1 to 64 letters, digits, dots, hyphens or underscores.")
    return present(session, schema.Annotator, schema.Annotator.id, public_id=public_id)


def annotator_hash(person: Any) -> str:
    """Names a person in what was learned from them: the same in every export of this database, and not to be
    guessed from an account's name. Takes a row with the `id` and `created_at` of an annotator."""
    known = f"{person.id} {person.created_at.isoformat()}"
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def holder_of(annotator: str) -> str:
    """Names a person in leases, also one who has left nothing to be known by."""
    return hashlib.sha256(f"holder {annotator}".encode("utf-8", "replace")).hexdigest()[:32]


def answer_key(session: Session, answer_id: str) -> UUID:
    """Raises NotFoundError unless there is an answer with that id."""
    try:
        key = UUID(answer_id)
    except (ValueError, AttributeError, TypeError):
        key = None
    if key is None or _held(session, select(schema.Answer.id).where(schema.Answer.id == key)) is None:
        raise NotFoundError("There is no answer with that id; it may have been deleted.")
    return key


def present(session: Session, table: type[schema.Base], key: Any, *, by: Any = None, **values: Any) -> Any:
    """The `key` of the row with these values, made where it is missing. Raises LockedError.

    by: the condition it is known by, where the values are more than that.
    """
    known = select(key).filter_by(**values) if by is None else select(key).where(by)
    for _ in range(ATTEMPTS):
        if (found := _held(session, known)) is not None:
            return found
        insert_missing(session, table, **values)
    raise LockedError("Someone keeps deleting the row that this belongs to; nothing was saved, try again.")


def _held(session: Session, wanted: Any) -> Any:
    """A row's key; where the session writes, nobody can delete the row before the transaction ends.

    Without that, a rating of a row could be saved while the row is deleted: PostgreSQL's writers do not wait
    for each other. They lock answers first, then people, then clips, as deleting does.
    """
    if session.get_bind().get_execution_options().get("write"):
        wanted = wanted.with_for_update(read=True, key_share=True)
    return session.scalar(wanted)


def page_key(page: str) -> str:
    """Names an open page; browsers choose the names, of any length."""
    return hashlib.sha256(f"page {page}".encode("utf-8", "replace")).hexdigest()[:32]


def end_lease(session: Session, answer: UUID, annotator: str) -> None:
    """The person is done with the answer."""
    mine = schema.Lease.answer_id == answer, schema.Lease.person == holder_of(annotator)
    session.execute(delete(schema.Lease).where(*mine, schema.Lease.purpose == "rating"))


def dialect_insert(session: Session) -> Any:
    """The INSERT of this database's dialect, which supports ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def insert_missing(session: Session, table: type[schema.Base], **values: Any) -> None:
    """Insert a row unless it is there, also when someone else inserts it at this moment."""
    session.execute(dialect_insert(session)(table).values(**values).on_conflict_do_nothing())
