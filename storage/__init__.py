"""Ratings and everything people do with answers: kept in a database, exported as data to train on.

from storage import Feedback, open_database

feedback = Feedback(open_database())
answer_id = feedback.record_answer(answer.to_json(), annotator=new_annotator())
feedback.rate(answer_id, annotator, thumb=1)
"""

from storage.database.check import check_readable
from storage.database.connection import Database, data_folder, open_database
from storage.database.keys import new_annotator
from storage.database.locks import ProcessLock, is_held, only_process
from storage.database.schema import now
from storage.database.search import MOST_HITS
from storage.errors import StorageError
from storage.feedback import Feedback

__all__ = [
    "MOST_HITS",
    "Database",
    "Feedback",
    "ProcessLock",
    "StorageError",
    "check_readable",
    "data_folder",
    "is_held",
    "new_annotator",
    "now",
    "only_process",
    "open_database",
]
