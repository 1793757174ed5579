"""Recording answers and reading them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select, tuple_, update

from storage.answers import kept_audio
from storage.answers.records import answer_columns, answer_record, checked_fingerprint, token_ids_column
from storage.answers.trace_statistics import trace_statistics
from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_key, answer_key, present


@dataclass(frozen=True)
class Summary:
    """An earlier answer in a list: enough to recognise it; `Feedback.answer` has the whole."""

    answer_id: str
    parent_id: str | None
    clip_sha256: str
    heard_start: float
    heard_end: float
    task: str
    question: str
    text: str
    seed: int
    stopped: bool
    created_at: datetime


@dataclass(frozen=True)
class AnswerStore:
    """Every method may raise StorageError."""

    database: Database

    def record_answer(
        self,
        answer: Mapping[str, Any],
        *,
        annotator: str | None,
        parent: str | None = None,
        audio_path: str | None = None,
        token_ids: Sequence[int] = (),
        fingerprint: str = "",
    ) -> str:
        """Record an answer (`usam.schema.answer.Answer.to_json()`); returns its id.

        parent: the answer this one retries or follows up.
        audio_path: a file with the heard audio, which the person agreed to keep; it is copied.
        token_ids: the answer's own tokens, which its record does not hold: tokenised again, its text may
          give others.
        fingerprint: of how the clip sounds, 64 hex digits (`usam.audio.fingerprint`); empty where unknown.

        Raises RecordError, NotFoundError (no such parent).
        """
        columns = answer_columns(answer)
        sha256, sounds = columns["clip_sha256"], checked_fingerprint(fingerprint)
        with self.database.write() as session:
            parent_id = answer_key(session, parent) if parent else None
            annotator_id = annotator_key(session, annotator) if annotator else None
            seconds = columns["heard_end"] - columns["heard_start"]
            known = schema.Clip.sha256 == sha256
            present(session, schema.Clip, schema.Clip.sha256, by=known, sha256=sha256, seconds=seconds)
            if sounds:
                unknown = update(schema.Clip).where(known, schema.Clip.fingerprint.is_(None))
                session.execute(unknown.values(fingerprint=sounds))
            if audio_path is not None:
                clip = session.get_one(schema.Clip, sha256)
                files = self.database.files
                if not (clip.audio_path and files.get(clip.audio_path)):
                    clip.audio_path = kept_audio.keep(files, sha256, audio_path)
            row = schema.Answer(
                **columns,
                token_ids=token_ids_column(token_ids),
                id=uuid4(),
                annotator_id=annotator_id,
                parent_id=parent_id,
                audio_kept=audio_path is not None,
            )
            session.add(row)
            session.flush()  # the answer before what refers to it
            session.add(schema.TraceStatistics(answer_id=row.id, **trace_statistics(columns["trace"])))
            return str(row.id)

    def answer(self, answer_id: str) -> dict[str, Any]:
        """The whole record of an answer, with `answer_id`, `parent_id` and `created_at`.

        Raises NotFoundError.
        """
        with self.database.read() as session:
            return answer_record(session.get_one(schema.Answer, answer_key(session, answer_id)))

    def token_ids(self, answer_id: str) -> tuple[int, ...]:
        """The answer's own tokens; empty where they were not recorded. Raises NotFoundError."""
        with self.database.read() as session:
            key = answer_key(session, answer_id)
            ids = session.scalar(select(schema.Answer.token_ids).where(schema.Answer.id == key))
            return tuple(ids or ())

    def kept_audio(self, answer_id: str) -> Path | None:
        """The file with what was heard, if the answer's asker agreed to keep it. Raises NotFoundError."""
        with self.database.read() as session:
            answer = session.get_one(schema.Answer, answer_key(session, answer_id))
            if not answer.audio_kept:
                return None
            path = session.get_one(schema.Clip, answer.clip_sha256).audio_path
        return self.database.files.get(path) if path else None

    def answers_of(self, annotator: str, limit: int = 20, before: str | None = None) -> list[Summary]:
        """A person's answers, newest first; `before` an answer of theirs continues an earlier list."""
        answers = schema.Answer
        columns = (
            answers.id, answers.parent_id, answers.clip_sha256, answers.heard_start, answers.heard_end,
            answers.task, answers.question, answers.text, answers.seed, answers.stopped, answers.created_at,
        )  # fmt: skip
        key = (answers.created_at, answers.id)
        wanted = (
            select(*columns)
            .join(schema.Annotator, schema.Annotator.id == answers.annotator_id)
            .where(schema.Annotator.public_id == annotator)
            .order_by(*(column.desc() for column in key))
            .limit(limit)
        )
        with self.database.read() as session:
            if before is not None:
                last = select(*key).where(answers.id == answer_key(session, before)).scalar_subquery()
                wanted = wanted.where(tuple_(*key) < last)
            return [
                Summary(str(identity), str(parent) if parent else None, *rest)
                for identity, parent, *rest in session.execute(wanted)
            ]
