"""What people do with answers: record, rate, change, withdraw, compare, re-open, forget.

Each call is one transaction and returns only once it is on the disk.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Unpack, cast, get_args
from uuid import UUID, uuid4

from sqlalchemy import delete, exists, false, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.answers import kept_audio
from storage.answers.records import answer_columns, answer_record, checked_sha256
from storage.answers.trace_statistics import internals
from storage.database import schema
from storage.database.connection import Database
from storage.database.search import erase_deleted
from storage.errors import NotFoundError, RatingError, StorageError, plain_errors
from storage.ratings.disagreement import settle
from storage.ratings.results import Comparison, Forgotten, Holdings, Rating, Revision, Summary, Winner
from storage.ratings.validation import Said, judgement, rating_of

__all__ = ["Feedback", "new_annotator"]


def new_annotator() -> str:
    """A random id for a new person, to be kept in their browser."""
    return secrets.token_urlsafe(16)


class Feedback:
    """The use-cases over one database. Safe to share between threads.

    Every method may raise StorageError (LockedError, DiskFullError, ReadOnlyError ...).
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def record_answer(
        self,
        answer: Mapping[str, Any],
        *,
        annotator: str | None,
        parent: str | None = None,
        audio_path: str | None = None,
    ) -> str:
        """Record an answer (`usam.schema.trace.Answer.to_json()`); returns its id.

        parent: the answer this one retries or follows up.
        audio_path: a file with the heard audio, which the person agreed to keep; it is copied.

        Raises RecordError, NotFoundError (no such parent).
        """
        columns = answer_columns(answer)
        sha256 = columns["clip_sha256"]
        with self.database.write() as session:
            seconds = columns["heard_end"] - columns["heard_start"]
            _insert_missing(session, schema.Clip, sha256=sha256, seconds=seconds)
            if audio_path is not None:
                clip = session.get_one(schema.Clip, sha256)
                folder = self.database.folder
                if not (clip.audio_path and (folder / clip.audio_path).exists()):
                    clip.audio_path = kept_audio.keep(folder, sha256, audio_path)
            row = schema.Answer(
                **columns,
                id=uuid4(),
                annotator_id=annotator_key(session, annotator) if annotator else None,
                parent_id=answer_key(session, parent) if parent else None,
                audio_kept=audio_path is not None,
            )
            session.add(row)
            session.flush()  # the answer before what refers to it
            session.add(schema.Internals(answer_id=row.id, **internals(columns["trace"])))
            return str(row.id)

    def answer(self, answer_id: str) -> dict[str, Any]:
        """The whole record of an answer, with `answer_id`, `parent_id` and `created_at`.

        Raises NotFoundError.
        """
        with self.database.read() as session:
            return answer_record(session.get_one(schema.Answer, answer_key(session, answer_id)))

    def kept_audio(self, answer_id: str) -> Path | None:
        """The file with what was heard, if the answer's asker agreed to keep it. Raises NotFoundError."""
        with self.database.read() as session:
            answer = session.get_one(schema.Answer, answer_key(session, answer_id))
            if not answer.audio_kept:
                return None
            path = session.get_one(schema.Clip, answer.clip_sha256).audio_path
        file = self.database.folder / path if path else None
        return file if file and file.is_file() else None

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

    def rate(self, answer_id: str, annotator: str, **said: Unpack[Said]) -> Rating:
        """Give or change a rating; what is passed (see `Said`) is the whole rating from now on.

        A change is a new revision; the same again is not.

        Raises RatingError, NotFoundError.
        """
        values = rating_of(**said)
        with self.database.write() as session:
            answer, person = answer_key(session, answer_id), annotator_key(session, annotator)
            _insert_missing(
                session, schema.Rating, answer_id=answer, annotator_id=person, revision=0, withdrawn=True
            )
            rating = _locked_rating(session, answer, annotator)
            assert rating is not None
            _revise(session, rating, withdrawn=False, **values)
            return _rating(rating, annotator)

    def withdraw(self, answer_id: str, annotator: str) -> bool:
        """Take a rating back, keeping its history; false when there was none. Raises NotFoundError."""
        with self.database.write() as session:
            rating = _locked_rating(session, answer_key(session, answer_id), annotator)
            if rating is None or rating.withdrawn:
                return False
            _revise(session, rating, withdrawn=True, **judgement())
            return True

    def undo(self, answer_id: str, annotator: str) -> Rating | None:
        """Bring back the rating as it was before the person's last save or withdrawal; undoing again goes
        further back. The history grows by the state brought back, and loses nothing.

        Returns the rating that counts now, None for none. Raises RatingError when nothing is left to undo.
        """
        with self.database.write() as session:
            rating = _locked_rating(session, answer_key(session, answer_id), annotator)
            target = _before_last_save(session, rating) if rating else None
            if rating is None or target is None:
                raise RatingError("There is nothing to undo.")
            state = session.get_one(schema.RatingRevision, (rating.id, target)) if target else None
            said = {name: getattr(state, name) for name in judgement()} if state else judgement()
            _revise(session, rating, restores=target, withdrawn=state.withdrawn if state else True, **said)
            return None if rating.withdrawn else _rating(rating, annotator)

    def rating(self, answer_id: str, annotator: str) -> Rating | None:
        """The person's rating as it counts now; None before the first and after a withdrawal."""
        with self.database.read() as session:
            rating = session.scalar(_rating_of(answer_key(session, answer_id), annotator))
            return None if rating is None or rating.withdrawn else _rating(rating, annotator)

    def history(self, answer_id: str, annotator: str) -> list[Revision]:
        """Every state of the person's rating, oldest first."""
        with self.database.read() as session:
            mine = _rating_of(answer_key(session, answer_id), annotator).with_only_columns(schema.Rating.id)
            revisions = session.scalars(
                select(schema.RatingRevision)
                .where(schema.RatingRevision.rating_id == mine.scalar_subquery())
                .order_by(schema.RatingRevision.number)
            )
            return [
                Revision(
                    number=row.number,
                    thumb=row.thumb,
                    score=row.score,
                    dimensions=row.dimensions,
                    flags=tuple(row.flags),
                    correction=row.correction,
                    comment=row.comment,
                    withdrawn=row.withdrawn,
                    restores=row.restores,
                    created_at=row.created_at,
                )
                for row in revisions
            ]

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
            _insert_missing(session, schema.Comparison, **pair, winner=vote, swapped=bool(swapped) != flipped)
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

    def holdings(self, annotator: str) -> Holdings:
        """What is stored under a person's id; nothing for an id that is not known."""
        answers, clips = schema.Answer, schema.Clip
        with self.database.read() as session:
            person = session.scalar(select(schema.Annotator.id).filter_by(public_id=annotator))
            mine = select(answers.clip_sha256).where(answers.annotator_id == person, answers.audio_kept)
            return Holdings(
                answers=_count(session, answers.annotator_id == person),
                ratings=_count(
                    session, schema.Rating.annotator_id == person, schema.Rating.withdrawn == false()
                ),
                comparisons=_count(session, schema.Comparison.annotator_id == person),
                spans=_count(session, schema.Span.annotator_id == person, schema.Span.withdrawn == false()),
                tokens=_count(session, schema.TokenVerdict.annotator_id == person),
                audio=_count(session, clips.sha256.in_(mine), clips.audio_path.is_not(None)),
            )

    def forget(
        self, *, annotator: str | None = None, audio: str | None = None, before: datetime | None = None
    ) -> Forgotten:
        """Delete what a person did, all that is known of a clip by its hash, or all answers of before a time.

        With an answer goes its trace and what others said about it. Kept audio goes when no remaining
        answer's asker agreed to keep it. Deleted rows are overwritten on the disk (SQLite), but stay in
        backups made earlier.

        Raises NotFoundError when nothing is stored under that id or hash.
        """
        if sum(value is not None for value in (annotator, audio, before)) != 1:
            raise ValueError("forget one of an annotator, an audio clip, and what is older than a time")
        answers, clips, people = schema.Answer, schema.Clip, schema.Annotator
        person = None
        with self.database.write() as session:
            if annotator is not None:
                person = session.scalar(select(people.id).filter_by(public_id=annotator))
                if person is None:
                    raise NotFoundError("Nothing is stored under that annotator id.")
                which = answers.annotator_id == person
            elif audio is not None:
                if session.get(clips, checked_sha256(audio)) is None:
                    raise NotFoundError("Nothing is stored about that audio.")
                which = answers.clip_sha256 == audio
            else:
                which = answers.created_at < before
            doomed = select(answers.id).where(which)
            rated, voted, marked, heard = (
                schema.Rating, schema.Comparison, schema.Span, schema.TokenVerdict
            )  # fmt: skip
            counts = {
                "answers": _count(session, which),
                "ratings": _count(session, or_(rated.answer_id.in_(doomed), rated.annotator_id == person)),
                "comparisons": _count(
                    session,
                    or_(
                        voted.answer_a_id.in_(doomed),
                        voted.answer_b_id.in_(doomed),
                        voted.annotator_id == person,
                    ),
                ),
                "spans": _count(session, or_(marked.answer_id.in_(doomed), marked.annotator_id == person)),
                "tokens": _count(session, or_(heard.answer_id.in_(doomed), heard.annotator_id == person)),
            }
            judged = session.scalars(select(rated.answer_id).where(rated.annotator_id == person)).all()
            session.execute(delete(answers).where(which))
            session.execute(delete(people).where(people.id == person))
            settle(session, judged)
            if before is not None:
                session.execute(delete(people).where(people.created_at < before, *_left_nothing()))
            asked = exists().where(answers.clip_sha256 == clips.sha256)
            silenced = session.scalars(
                update(clips)
                .where(clips.audio_path.is_not(None), ~asked.where(answers.audio_kept))
                .values(audio_path=None)
                .returning(clips.sha256)
            ).all()
            orphans = session.scalars(delete(clips).where(~asked).returning(clips.sha256)).all()
            erase_deleted(session)
        with plain_errors():
            files = sum(kept_audio.remove(self.database.folder, sha) for sha in {*silenced, *orphans})
        self.database.truncate_log()
        return Forgotten(**counts, clips=len(orphans), files=files)


def _insert_missing(session: Session, table: type[schema.Base], **values: Any) -> None:
    """Insert a row unless it is there, also when someone else inserts it at this moment."""
    session.execute(inserting(session)(table).values(**values).on_conflict_do_nothing())


def inserting(session: Session) -> Any:
    """The INSERT of this database that can say what to do when the row is there."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def annotator_key(session: Session, public_id: str) -> int:
    """The person's key, made when they are new. Raises StorageError when the id is not one."""
    if not isinstance(public_id, str) or not re.fullmatch(r"[\w.-]{1,64}", public_id, re.ASCII):
        raise StorageError("An annotator id is 1 to 64 letters, digits, dots, hyphens or underscores.")
    known = select(schema.Annotator.id).where(schema.Annotator.public_id == public_id)
    if (key := session.scalar(known)) is not None:
        return key
    _insert_missing(session, schema.Annotator, public_id=public_id)
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


def _rating_of(answer: UUID, annotator: str) -> Any:
    return (
        select(schema.Rating)
        .join(schema.Annotator, schema.Annotator.id == schema.Rating.annotator_id)
        .where(schema.Rating.answer_id == answer, schema.Annotator.public_id == annotator)
    )


def _locked_rating(session: Session, answer: UUID, annotator: str) -> schema.Rating | None:
    return cast(
        schema.Rating | None, session.scalar(_rating_of(answer, annotator).with_for_update(of=schema.Rating))
    )


def _revise(
    session: Session, rating: schema.Rating, *, restores: int | None = None, **judgement: Any
) -> None:
    """Make `judgement` the rating's current state and add it to the history; no change, no revision, but an
    undo is always one."""
    changed = any(getattr(rating, name) != value for name, value in judgement.items())
    if rating.revision and not changed and restores is None:
        return
    rating.revision += 1
    rating.updated_at = schema.now()
    for name, value in judgement.items():
        setattr(rating, name, value)
    revision = schema.RatingRevision(
        rating_id=rating.id,
        number=rating.revision,
        restores=restores,
        created_at=rating.updated_at,
        **judgement,
    )
    session.add(revision)
    settle(session, [rating.answer_id])


def _before_last_save(session: Session, rating: schema.Rating) -> int | None:
    """Number of the revision whose state held before the last save that is not undone yet; 0 for no rating
    at all, None when everything is undone."""
    undone = schema.RatingRevision.restores
    restored = dict(
        session.execute(
            select(schema.RatingRevision.number, undone).where(
                schema.RatingRevision.rating_id == rating.id, undone.is_not(None)
            )
        ).all()
    )
    saved = restored.get(rating.revision, rating.revision)
    return restored.get(saved - 1, saved - 1) if saved else None


def _rating(row: schema.Rating, annotator: str) -> Rating:
    return Rating(
        id=str(row.id),
        answer_id=str(row.answer_id),
        annotator=annotator,
        thumb=row.thumb,
        score=row.score,
        dimensions=row.dimensions,
        flags=tuple(row.flags),
        correction=row.correction,
        comment=row.comment,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _flip(winner: Winner) -> Winner:
    flipped: dict[Winner, Winner] = {"a": "b", "b": "a"}
    return flipped.get(winner, winner)


def _count(session: Session, *conditions: Any) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0


def _left_nothing() -> list[Any]:
    """That a person has neither asked nor judged anything that is still there."""
    tables = (
        schema.Answer, schema.Rating, schema.Comparison, schema.Mark, schema.Span, schema.TokenVerdict
    )  # fmt: skip
    return [~exists().where(table.annotator_id == schema.Annotator.id) for table in tables]
