"""Votes between two answers to the same input."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import select

from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_key, answer_key, insert_missing
from storage.errors import RatingError

Winner = Literal["a", "b", "tie", "both_bad"]


@dataclass(frozen=True)
class Comparison:
    """A vote between two answers; `swapped` when answer a stood on the right."""

    id: str
    answer_a: str
    answer_b: str
    annotator: str
    winner: Winner
    swapped: bool
    created_at: datetime


@dataclass(frozen=True)
class ComparisonStore:
    """A person has one vote a pair. Every method may raise StorageError."""

    database: Database

    def compare(
        self, answer_a: str, answer_b: str, annotator: str, winner: Winner, swapped: bool = False
    ) -> Comparison:
        """Vote between two answers to the same input; a person votes once a pair, whichever way round.

        swapped: answer a stood on the right.  The same vote again returns the first.

        Raises RatingError (another vote exists, not the same input), NotFoundError.
        """
        if winner not in get_args(Winner):
            raise RatingError("The winner is a, b, tie or both_bad.")
        with self.database.write() as session:
            first, second = answer_key(session, answer_a), answer_key(session, answer_b)
            if first == second:
                raise RatingError("An answer cannot be compared with itself.")
            inputs = select(schema.Answer.input_hash).where(schema.Answer.id.in_((first, second)))
            if len(set(session.scalars(inputs))) > 1:
                raise RatingError("Only answers to the same clip and question can be compared.")
            flipped = second < first
            pair = {
                "answer_a_id": min(first, second),
                "answer_b_id": max(first, second),
                "annotator_id": annotator_key(session, annotator),
            }
            vote = _flip(winner) if flipped else winner
            insert_missing(session, schema.Comparison, **pair, winner=vote, swapped=bool(swapped) != flipped)
            stored = session.scalars(select(schema.Comparison).filter_by(**pair)).one()
            if stored.winner != vote:
                raise RatingError("You have already voted on these two answers.")
            return Comparison(
                id=str(stored.id),
                answer_a=str(first),
                answer_b=str(second),
                annotator=annotator,
                winner=winner,
                swapped=stored.swapped != flipped,
                created_at=stored.created_at,
            )


def _flip(winner: Winner) -> Winner:
    flipped: dict[Winner, Winner] = {"a": "b", "b": "a"}
    return flipped.get(winner, winner)
