"""Answers about whole recordings: like these they are one person's, and they go with the recording."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from storage.annotation.recordings import own_recording
from storage.answers.records import model_columns, model_record, refused_as_record
from storage.database import schema
from storage.database.connection import Database
from storage.database.text import clean, clean_json
from storage.ratings.recording_ratings import rating_in
from storage.ratings.results import Revision

MOST_SHOWN = 50


@dataclass(frozen=True)
class StoredRecordingAnswer:
    """record: the answer as the model reported it.  rating: its owner's as it counts now."""

    id: str
    record: dict[str, Any]
    rating: Revision | None
    created_at: datetime


@dataclass(frozen=True)
class RecordingAnswers:
    """Every method may raise StorageError."""

    database: Database

    def add(self, recording_id: str, annotator: str, record: Mapping[str, Any]) -> str:
        """Keep an answer about the person's recording; returns its id.

        record: of `RecordingAnswer.to_json`. Raises NotFoundError where the recording was
        deleted, RecordError.
        """
        columns = _columns(record)
        with self.database.write() as session:
            recording = own_recording(session, recording_id, annotator, lock=True)
            recording.updated_at = schema.now()
            row = schema.RecordingAnswer(id=uuid4(), recording_id=recording.id, **columns)
            session.add(row)
            return str(row.id)

    def of(
        self, recording_id: str, annotator: str, most: int | None = MOST_SHOWN
    ) -> list[StoredRecordingAnswer]:
        """The answers about the person's recording, the latest first. most: None for all of them. Raises
        NotFoundError."""
        answers, ratings = schema.RecordingAnswer, schema.RecordingRating
        with self.database.read() as session:
            recording = own_recording(session, recording_id, annotator)
            rows = session.scalars(
                select(answers)
                .where(answers.recording_id == recording.id)
                .order_by(answers.created_at.desc(), answers.id)
                .limit(most)
            ).all()
            states = session.scalars(
                select(ratings)
                .where(ratings.answer_id.in_([row.id for row in rows]))
                .order_by(ratings.answer_id, ratings.number)
            )
            last = {state.answer_id: state for state in states}
            return [
                StoredRecordingAnswer(str(row.id), _record(row), rating_in(last.get(row.id)), row.created_at)
                for row in rows
            ]


def _columns(record: Mapping[str, Any]) -> dict[str, Any]:
    """Column values for an answer; what has no column of its own stays in `details`. Raises RecordError."""
    with refused_as_record():
        json.dumps(record, allow_nan=False)
        rest = dict(record)
        return {
            "text": clean(rest.pop("answer")),
            "question": clean(rest.pop("question")),
            "task": clean(rest.pop("task")),
            "way": clean(rest.pop("way")),
            "finish": clean(rest.pop("finish")),
            "seed": int(rest.pop("seed")),
            "temperature": float(rest.pop("temperature")),
            "leans_on": [
                {key: float(number) for key, number in dict(one).items()} for one in rest.pop("leans_on")
            ],
            **model_columns(rest.pop("model")),
            "details": clean_json(rest),
        }


def _record(row: schema.RecordingAnswer) -> dict[str, Any]:
    return {
        **row.details,
        "answer": row.text,
        "question": row.question,
        "task": row.task,
        "way": row.way,
        "finish": row.finish,
        "seed": row.seed,
        "temperature": row.temperature,
        "leans_on": row.leans_on,
        "model": model_record(row),
    }
