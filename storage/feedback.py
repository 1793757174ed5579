"""What people do with answers: record, rate, change, withdraw, compare, read again, delete.

Each call is one transaction and returns only once it is on the disk.
"""

from storage.answers.store import AnswerStore
from storage.maintenance.erasure import Erasure
from storage.ratings.comparisons import ComparisonStore
from storage.ratings.ratings import RatingStore


class Feedback(AnswerStore, RatingStore, ComparisonStore, Erasure):
    """Everything people do, on one database. Safe to share between threads.

    Every method may raise StorageError (LockedError, DiskFullError, ReadOnlyError ...).
    """
