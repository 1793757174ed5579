"""Ratings and everything people do with answers: kept in a database, exported as data to train on.

from storage import Feedback, open_database

feedback = Feedback(open_database())
answer_id = feedback.record_answer(answer.to_json(), annotator=new_annotator())
feedback.rate(answer_id, annotator, thumb=1)
"""

from storage.database.connection import Database, open_database
from storage.errors import StorageError
from storage.feedback import Feedback, new_annotator

__all__ = ["Database", "Feedback", "StorageError", "new_annotator", "open_database"]
