"""What is heard in whole recordings, part after part, and how people change it; each change is kept.

A recording belongs to the person who sent it: others neither see nor change it. What was heard stays as it
was; changes are kept beside it, and applied by whoever reads both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from storage.answers.records import checked_sha256
from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_key
from storage.database.text import clean
from storage.errors import NotFoundError, RecordError

MOST_EDITS = 10_000
"""Changes of one recording."""
LONGEST_NAME = 200  # characters
ROUNDING = 0.01  # seconds by which the end of the last part may differ from the recording's length


@dataclass(frozen=True)
class StoredRecording:
    """A recording that a person sent. seconds: its length, 0 until something was heard; heard: up to where.

    parts, edits: how many there are.  path: where its file was last; it may be gone.
    """

    id: str
    sha256: str
    name: str
    path: str
    task: str
    fingerprint: str
    seconds: float
    heard: float
    parts: int
    edits: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_done(self) -> bool:
        """Whether it was heard to its end."""
        return self.parts > 0 and self.seconds - self.heard < ROUNDING


@dataclass(frozen=True)
class StoredPart:
    """What was heard from `start` to `end` (s). segments: as they were given."""

    start: float
    end: float
    segments: list[Any]


@dataclass(frozen=True)
class StoredEdit:
    """One change of a person's, numbered from 1."""

    number: int
    change: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Recordings:
    """Every method may raise StorageError."""

    database: Database

    def open(
        self, annotator: str, sha256: str, task: str, fingerprint: str, *, name: str, path: str
    ) -> StoredRecording:
        """The person's recording of this file, task and model, made where it is new.

        sha256: of the file.  fingerprint: of the model that hears it.  name: for people.
        """
        known = {"sha256": checked_sha256(sha256), "task": task, "model_fingerprint": fingerprint}
        with self.database.write() as session:
            person = annotator_key(session, annotator)
            wanted = select(schema.Recording).filter_by(annotator_id=person, **known)
            row = session.scalar(wanted.with_for_update())
            if row is None:
                row = schema.Recording(id=uuid4(), annotator_id=person, seconds=0.0, heard_s=0.0, **known)
                row.parts = row.edits = 0
                session.add(row)
            row.name, row.path = clean(name)[:LONGEST_NAME], path
            row.updated_at = schema.now()
            session.flush()
            return _recording(row)

    def get(self, recording_id: str, annotator: str) -> StoredRecording:
        """Raises NotFoundError."""
        with self.database.read() as session:
            return _recording(own_recording(session, recording_id, annotator))

    def of(self, annotator: str, most: int = 50) -> list[StoredRecording]:
        """The person's recordings, the one used last first."""
        recordings, people = schema.Recording, schema.Annotator
        with self.database.read() as session:
            rows = session.scalars(
                select(recordings)
                .join(people, people.id == recordings.annotator_id)
                .where(people.public_id == annotator)
                .order_by(recordings.updated_at.desc(), recordings.id)
                .limit(most)
            )
            return [_recording(row) for row in rows]

    def add_part(
        self, recording_id: str, number: int, start: float, end: float, seconds: float, segments: list[Any]
    ) -> None:
        """Keep what was heard next. number: of the part, from 0.  seconds: of the whole recording.

        Raises NotFoundError where the recording was deleted, RecordError where there is such a part already.
        """
        with self.database.write() as session:
            row = session.scalar(_by_id(recording_id).with_for_update())
            if row is None:
                raise NotFoundError("The recording was deleted.")
            if number != row.parts:
                raise RecordError("This part of the recording was heard already.")
            session.add(
                schema.RecordingPart(
                    recording_id=row.id, number=number, start_s=start, end_s=end, segments=segments
                )
            )
            row.parts, row.heard_s, row.seconds = number + 1, end, seconds
            row.updated_at = schema.now()

    def parts(self, recording_id: str, annotator: str, since: int = 0) -> list[StoredPart]:
        """What was heard, in order, from the part of this number on. Raises NotFoundError."""
        with self.database.read() as session:
            row, parts = own_recording(session, recording_id, annotator), schema.RecordingPart
            found = session.scalars(
                select(parts)
                .where(parts.recording_id == row.id, parts.number >= since)
                .order_by(parts.number)
            )
            return [StoredPart(part.start_s, part.end_s, part.segments) for part in found]

    def edit(
        self, recording_id: str, annotator: str, known: int, changes: Sequence[Mapping[str, Any]]
    ) -> None:
        """Keep changes, all of them or none. known: how many there were when they were made.

        Raises NotFoundError, and RecordError where another change came first, or there are too many.
        """
        with self.database.write() as session:
            row = own_recording(session, recording_id, annotator, lock=True)
            if known != row.edits:
                raise RecordError("The segments were changed elsewhere meanwhile; look at them again.")
            if known + len(changes) > MOST_EDITS:
                raise RecordError(f"At most {MOST_EDITS:,} changes of one recording can be kept.")
            for number, change in enumerate(changes, known + 1):
                session.add(schema.SegmentEdit(recording_id=row.id, number=number, change=dict(change)))
            row.edits = known + len(changes)
            row.updated_at = schema.now()

    def edits(self, recording_id: str, annotator: str) -> list[StoredEdit]:
        """Every change, oldest first. Raises NotFoundError."""
        with self.database.read() as session:
            row, edits = own_recording(session, recording_id, annotator), schema.SegmentEdit
            found = session.scalars(select(edits).where(edits.recording_id == row.id).order_by(edits.number))
            return [StoredEdit(one.number, one.change, one.created_at) for one in found]

    def delete(self, recording_id: str, annotator: str) -> None:
        """With all that was heard in it, answered about it and changed of it. Raises NotFoundError."""
        with self.database.write() as session:
            session.delete(own_recording(session, recording_id, annotator, lock=True))


def _by_id(recording_id: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    try:
        key = UUID(recording_id)
    except (ValueError, AttributeError, TypeError):
        key = UUID(int=0)  # of no recording
    return select(schema.Recording).where(schema.Recording.id == key, *conditions)


def own_recording(
    session: Session, recording_id: str, annotator: str, *, lock: bool = False
) -> schema.Recording:
    """The person's recording. lock: until the transaction ends, nobody changes it. Raises NotFoundError."""
    people = schema.Annotator
    owner = select(people.id).where(people.public_id == annotator).scalar_subquery()
    wanted = _by_id(recording_id, schema.Recording.annotator_id == owner)
    row: schema.Recording | None = session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None:
        raise NotFoundError("There is no recording of yours with that id; it may have been deleted.")
    return row


def _recording(row: schema.Recording) -> StoredRecording:
    return StoredRecording(
        id=str(row.id),
        sha256=row.sha256,
        name=row.name,
        path=row.path,
        task=row.task,
        fingerprint=row.model_fingerprint,
        seconds=row.seconds,
        heard=row.heard_s,
        parts=row.parts,
        edits=row.edits,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
