"""What one transaction alone may do at a time, in all processes on one database."""

import hashlib

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def wait_for_turn(session: Session, name: str) -> None:
    """Wait until no other transaction that writes has the turn of this name, and hold it until this one ends.

    SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_number(name))))


def _number(name: str) -> int:
    """64 bits that other programs on the same server are unlikely to use."""
    digest = hashlib.sha256(f"U-SAM Studio: {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
