"""What is stored about a person, and deleting it: by person, by clip, by age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, and_, delete, exists, false, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from storage.answers import kept_audio, uploads
from storage.answers.records import checked_sha256
from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_hash, holder_of
from storage.database.search import erase_deleted
from storage.errors import NotFoundError, plain_errors
from storage.ratings.disagreement import update_disagreement
from storage.ratings.recording_ratings import counts_now


@dataclass(frozen=True)
class Holdings:
    """How much is stored under a person's id; `tokens`: verdicts on single ones; `audio`: clips of theirs
    whose sound is kept; `judged`: answers of theirs that others rated, compared or marked; `recordings`:
    whole ones that were written down; `recording_answers`: about these, whose ratings count as `ratings`."""

    answers: int
    ratings: int
    comparisons: int
    spans: int
    tokens: int
    audio: int
    judged: int = 0
    recordings: int = 0
    recording_answers: int = 0


@dataclass(frozen=True)
class Forgotten:
    """How much was deleted; of a person also the hash by which exports and what was learned from them name
    the person, and how many answers were `kept` under nobody's name."""

    answers: int
    ratings: int
    comparisons: int
    spans: int
    tokens: int
    clips: int
    files: int
    annotator: str = ""
    kept: int = 0
    recordings: int = 0

    def __str__(self) -> str:
        """`1 answer with its trace, 2 ratings, 0 comparisons, 1 span, 0 judged tokens, 1 clip, 1 file`, and
        recordings where there were any."""
        answers = (
            f"{_counted(self.answers, 'answer')} with {'its trace' if self.answers == 1 else 'their traces'}"
        )
        rest = (
            ("rating", self.ratings), ("comparison", self.comparisons), ("span", self.spans),
            ("judged token", self.tokens), ("clip", self.clips), ("audio file", self.files),
        )  # fmt: skip
        counts = [answers, *(_counted(n, noun) for noun, n in rest)]
        return ", ".join(counts + [_counted(self.recordings, "recording")] * bool(self.recordings))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Erasure:
    """Every method may raise StorageError."""

    database: Database

    def holdings(self, annotator: str) -> Holdings:
        """What is stored under a person's id; nothing for an id that is not known."""
        answers, clips = schema.Answer, schema.Clip
        with self.database.read() as session:
            person = session.scalar(select(schema.Annotator.id).filter_by(public_id=annotator))
            if person is None:  # answers under nobody's name are not this person's
                return Holdings(answers=0, ratings=0, comparisons=0, spans=0, tokens=0, audio=0)
            about = _answers_about(schema.Recording.annotator_id == person)
            mine = select(answers.clip_sha256).where(answers.annotator_id == person, answers.audio_kept)
            return Holdings(
                answers=_count(session, answers.annotator_id == person),
                ratings=_count(
                    session, schema.Rating.annotator_id == person, schema.Rating.withdrawn == false()
                )
                + _count(session, schema.RecordingRating.answer_id.in_(about), counts_now()),
                comparisons=_count(session, schema.Comparison.annotator_id == person),
                spans=_count(session, schema.Span.annotator_id == person, schema.Span.withdrawn == false()),
                tokens=_count(session, schema.TokenVerdict.annotator_id == person),
                audio=_count(session, clips.sha256.in_(mine), clips.audio_path.is_not(None)),
                judged=_count(session, answers.annotator_id == person, _judged_by_others(person)),
                recordings=_count(session, schema.Recording.annotator_id == person),
                recording_answers=_count(session, schema.RecordingAnswer.id.in_(about)),
            )

    def forget(
        self,
        *,
        annotator: str | None = None,
        audio: str | None = None,
        before: datetime | None = None,
        keep_judged: bool = False,
    ) -> Forgotten:
        """Delete everything of a person, everything about a clip or a recording by its hash, or all answers
        and recordings before a time.

        With an answer goes its trace and everyone's ratings of it; with a person's, the answers under
        nobody's name that retry it; with a recording what was heard in it, changed of it and answered about
        it, and the ratings of that. `keep_judged`
        keeps a person's answers that others judged, under nobody's name and without the person's consent to
        keep audio. Kept audio goes when no remaining answer's asker agreed to keep it. Deleted rows are
        overwritten on the disk (SQLite), but stay in earlier backups.

        Raises NotFoundError when nothing is stored under that id or hash.
        """
        if sum(value is not None for value in (annotator, audio, before)) != 1:
            raise ValueError("forget one of an annotator, an audio clip, and what is older than a time")
        answers, clips, people, recordings = schema.Answer, schema.Clip, schema.Annotator, schema.Recording
        person, known_as, kept = None, "", 0
        outdated: Sequence[str] = ()
        with self.database.write() as session:
            if annotator is not None:
                found = session.scalar(select(people).filter_by(public_id=annotator))
                if found is None:
                    raise NotFoundError("Nothing is stored under that annotator id.")
                person, known_as = found.id, annotator_hash(found)
                if keep_judged:
                    disowned = update(answers).where(
                        answers.annotator_id == person, _judged_by_others(person)
                    )
                    left = session.execute(disowned.values(annotator_id=None, audio_kept=False))
                    kept = cast("CursorResult[Any]", left).rowcount
                which = or_(answers.annotator_id == person, _asked_again(person))
                recorded = recordings.annotator_id == person
            elif audio is not None:
                recorded = recordings.sha256 == checked_sha256(audio)
                if session.get(clips, audio) is None and not _count(session, recorded):
                    raise NotFoundError("Nothing is stored about that audio.")
                which = answers.clip_sha256 == audio
            else:
                which = answers.created_at < before
                recorded = recordings.updated_at < before
            doomed = select(answers.id).where(which)
            rated, voted, marked, heard = (
                schema.Rating, schema.Comparison, schema.Span, schema.TokenVerdict
            )  # fmt: skip
            counts = {
                "answers": _count(session, which),
                "ratings": _count(session, or_(rated.answer_id.in_(doomed), rated.annotator_id == person))
                + _count(
                    session,
                    schema.RecordingRating.answer_id.in_(_answers_about(recorded)),
                    schema.RecordingRating.number == 1,
                ),
                "comparisons": _count(
                    session,
                    or_(
                        voted.answer_a_id.in_(doomed),
                        voted.answer_b_id.in_(doomed),
                        voted.annotator_id == person,
                    ),
                ),
                "spans": _count(session, or_(marked.answer_id.in_(doomed), marked.annotator_id == person)),
                "recordings": _count(session, recorded),
                "tokens": _count(session, or_(heard.answer_id.in_(doomed), heard.annotator_id == person)),
            }
            judged = session.scalars(select(rated.answer_id).where(rated.annotator_id == person)).all()
            session.execute(delete(answers).where(which))
            session.execute(delete(recordings).where(recorded))
            session.execute(delete(people).where(people.id == person))
            if annotator is not None:
                session.execute(delete(schema.Lease).where(schema.Lease.person == holder_of(annotator)))
            update_disagreement(session, judged)
            if before is not None:
                session.execute(delete(people).where(people.created_at < before, *_left_nothing()))
                imports = schema.ProjectImport  # clips that were never asked about
                old = delete(imports).where(imports.created_at < before).returning(imports.path)
                outdated = session.scalars(old).all()
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
            uploads.remove_unneeded(self.database, outdated)
            files = sum(kept_audio.remove(self.database.files, sha) for sha in {*silenced, *orphans})
        self.database.truncate_log()
        return Forgotten(**counts, clips=len(orphans), files=files, annotator=known_as, kept=kept)


def _count(session: Session, *conditions: Any) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0


def _answers_about(recorded: Any) -> Any:
    """Ids of the answers about these recordings."""
    answers, recordings = schema.RecordingAnswer, schema.Recording
    return select(answers.id).join(recordings, recordings.id == answers.recording_id).where(recorded)


def _asked_again(person: int) -> Any:
    """Answers under nobody's name that retry the person's, and so hold what they asked."""
    asked = aliased(schema.Answer)
    mine = select(asked.id).where(asked.annotator_id == person)
    return and_(schema.Answer.annotator_id.is_(None), schema.Answer.parent_id.in_(mine))


def _judged_by_others(person: int | None) -> Any:
    """That someone else rated, compared or marked the answer."""
    answers, votes = schema.Answer, schema.Comparison
    judged = [
        exists().where(table.answer_id == answers.id, table.annotator_id != person, ~withdrawn)
        for table, withdrawn in (
            (schema.Rating, schema.Rating.withdrawn),
            (schema.Span, schema.Span.withdrawn),
            (schema.TokenVerdict, false()),
        )
    ]
    either = or_(votes.answer_a_id == answers.id, votes.answer_b_id == answers.id)
    return or_(*judged, exists().where(either, votes.annotator_id != person))


def _left_nothing() -> list[Any]:
    """That a person has neither asked nor judged anything that is still there, nor is expected to."""
    tables = (
        schema.Answer, schema.Rating, schema.Comparison, schema.QueueMark, schema.Span, schema.TokenVerdict,
        schema.ProjectMember, schema.Recording,
    )  # fmt: skip
    return [~exists().where(table.annotator_id == schema.Annotator.id) for table in tables]
