"""Ids of people and answers: new ones, and the keys of the rows they stand for."""

import re
import secrets
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.database import schema
from storage.errors import NotFoundError, StorageError


def new_annotator() -> str:
    """A random id for a new person, to be kept in their browser."""
    return secrets.token_urlsafe(16)


def annotator_key(session: Session, public_id: str) -> int:
    """The person's key, made when they are new. Raises StorageError when the id is not one."""
    if not isinstance(public_id, str) or not re.fullmatch(r"[\w.-]{1,64}", public_id, re.ASCII):
        raise StorageError("An annotator id is 1 to 64 letters, digits, dots, hyphens or underscores.")
    known = select(schema.Annotator.id).where(schema.Annotator.public_id == public_id)
    if (key := session.scalar(known)) is not None:
        return key
    insert_missing(session, schema.Annotator, public_id=public_id)
    return session.scalars(known).one()


def answer_key(session: Session, answer_id: str) -> UUID:
    """Raises NotFoundError unless there is an answer by that id."""
    try:
        key = UUID(answer_id)
    except (ValueError, AttributeError, TypeError):
        key = None
    if key is None or session.scalar(select(schema.Answer.id).where(schema.Answer.id == key)) is None:
        raise NotFoundError("There is no answer by that id; it may have been deleted.")
    return key


def inserting(session: Session) -> Any:
    """The INSERT of this database that can say what to do when the row is there."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def insert_missing(session: Session, table: type[schema.Base], **values: Any) -> None:
    """Insert a row unless it is there, also when someone else inserts it at this moment."""
    session.execute(inserting(session)(table).values(**values).on_conflict_do_nothing())
