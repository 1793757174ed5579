"""Deletes answers that are older than a person running the app wants to keep."""

from datetime import timedelta

from storage.database.connection import Database
from storage.database.schema import now
from storage.errors import StorageError
from storage.maintenance.erasure import Erasure, Forgotten


def prune(database: Database, days: float) -> Forgotten:
    """Forget every answer older than `days` with all that belongs to it. Raises StorageError."""
    if not 0 < days < 36_500:
        raise StorageError("The number of days is more than 0 and less than 36,500.")
    return Erasure(database).forget(before=now() - timedelta(days=days))
