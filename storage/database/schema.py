"""The tables: clips, annotators, answers with their internals, ratings with their revisions and repeats,
comparisons, marked spans with their revisions, judged tokens, what was put aside in the queue, and what is
before whom, projects with their members and items, whole recordings with what is heard in them, how that was
changed, and answers about them with their ratings, and what the processes of the app share.

A clip is known by the hash of what was heard, never by a file name. Wide JSON columns stand last in
their table, so that SQLite reads past them only when they are asked for.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times; SQLite itself would drop the time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    return datetime.now(UTC)


WITH_WORDS = text("text != ''")
"""Of the answers that can be judged. A literal, because SQLite uses no partial index for a bound value."""

Json = JSON().with_variant(JSONB(), "postgresql")
NullableJson = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {float: Double}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Clip(Base):
    """What a model heard: `sha256` and length (s) of the 16 kHz mono samples, and the audio if kept.

    Where the span was cut from belongs to the answer: two recordings can hold the same samples.
    `fingerprint` tells copies in other formats; None for clips that sound the same throughout, and for those
    from before version 0010.
    """

    __tablename__ = "clips"
    __table_args__ = (
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint("seconds > 0", name="seconds"),
    )

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    seconds: Mapped[float]
    audio_path: Mapped[str | None] = mapped_column(Text)  # relative to the data folder, so that it can move
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    fingerprint: Mapped[str | None] = mapped_column(String(64))


class Annotator(Base):
    """A person's browser. `public_id` is random and kept there; who holds it may change the person's
    ratings, so exports name people by `id` alone."""

    __tablename__ = "annotators"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Answer(Base):
    """One answer with everything needed to filter it, explain it and run it again.

    `input_hash` is equal for answers to the same clip, task, question and history. `trace` holds the
    tokens and whatever else the model reported, `model` the part of its provenance not in columns.
    `token_ids` are the answer's text as the LLM wrote it; None for answers from before version 0008.
    """

    __tablename__ = "answers"
    __table_args__ = (
        CheckConstraint("heard_start >= 0 AND heard_end > heard_start", name="heard"),
        CheckConstraint("temperature >= 0", name="temperature"),
        CheckConstraint("max_new_tokens >= 0", name="max_new_tokens"),
        Index(None, "annotator_id", "created_at", "id"),
        Index("ix_answers_judgeable", "clip_sha256", sqlite_where=WITH_WORDS, postgresql_where=WITH_WORDS),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    clip_sha256: Mapped[str] = mapped_column(ForeignKey("clips.sha256", ondelete="CASCADE"), index=True)
    annotator_id: Mapped[int | None] = mapped_column(ForeignKey("annotators.id", ondelete="CASCADE"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("answers.id", ondelete="SET NULL"), index=True)
    input_hash: Mapped[str] = mapped_column(String(64), index=True)
    audio_kept: Mapped[bool]
    heard_start: Mapped[float]
    heard_end: Mapped[float]
    clip_duration: Mapped[float]
    task: Mapped[str] = mapped_column(String(32))
    preset: Mapped[str] = mapped_column(String(64))
    model_fingerprint: Mapped[str] = mapped_column(String(128))
    quantization: Mapped[str] = mapped_column(String(32))
    device: Mapped[str] = mapped_column(String(64))
    seed: Mapped[int] = mapped_column(BigInteger)
    temperature: Mapped[float]
    max_new_tokens: Mapped[int]
    stopped: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    question: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    prompt: Mapped[str] = mapped_column(Text)
    history: Mapped[list[dict[str, str]]] = mapped_column(Json)
    model: Mapped[dict[str, Any]] = mapped_column(Json)
    timings: Mapped[dict[str, Any]] = mapped_column(Json)
    trace: Mapped[dict[str, Any]] = mapped_column(Json)
    token_ids: Mapped[list[int] | None] = mapped_column(NullableJson)


class TraceStatistics(Base):
    """Numbers from an answer's trace (`storage.answers.trace_statistics`), to order and compare by."""

    __tablename__ = "internals"

    answer_id: Mapped[UUID] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True)
    router_entropy: Mapped[float | None] = mapped_column(index=True)
    dominant_expert: Mapped[str | None] = mapped_column(String(64))
    redundant_share: Mapped[float | None]


class Disagreement(Base):
    """How far the ratings of an answer disagree (`storage.ratings.disagreement`), where they do."""

    __tablename__ = "disputes"

    answer_id: Mapped[UUID] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True)
    spread: Mapped[float] = mapped_column(index=True)


class Judgement:
    """A person's judgement of an answer; shared by a rating, each of its revisions, and a repeat of it.

    dimensions: 1 to 5 by name.  flags: names from `validation.FLAGS`.
    """

    thumb: Mapped[int | None]
    score: Mapped[int | None]
    correction: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str | None] = mapped_column(Text)
    dimensions: Mapped[dict[str, int]] = mapped_column(Json, default=dict, server_default=text("'{}'"))
    flags: Mapped[list[str]] = mapped_column(Json, default=list, server_default=text("'[]'"))


def _judgement_checks() -> tuple[CheckConstraint, CheckConstraint]:
    return (
        CheckConstraint("thumb IN (-1, 0, 1)", name="thumb"),
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
    )


class Rating(Judgement, Base):
    """The rating that counts now: one a person and answer. `revision` numbers its latest revision."""

    __tablename__ = "ratings"
    __table_args__ = (
        *_judgement_checks(),
        UniqueConstraint("answer_id", "annotator_id"),
        Index("ix_ratings_answer_id_withdrawn_thumb_score", "answer_id", "withdrawn", "thumb", "score"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    answer_id: Mapped[UUID] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotators.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]
    withdrawn: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)


class RatingRevision(Judgement, Base):
    """Every state a rating has had; rows are added, never changed.

    restores: of an undo, the number of the revision whose state it brings back, 0 for no rating.
    """

    __tablename__ = "rating_revisions"
    __table_args__ = _judgement_checks()

    rating_id: Mapped[UUID] = mapped_column(ForeignKey("ratings.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    withdrawn: Mapped[bool]
    restores: Mapped[int | None]


class Repeat(Judgement, Base):
    """A person's rating of an answer that they had rated before: `number` is the revision of the
    rating that held then. It measures how consistent the person is, and counts nowhere else."""

    __tablename__ = "repeats"
    __table_args__ = _judgement_checks()

    rating_id: Mapped[UUID] = mapped_column(ForeignKey("ratings.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Comparison(Base):
    """A blind vote between two answers; `swapped` when answer a stood on the right.

    The smaller id is always a, so that one person has one vote a pair, whichever way it was asked.
    """

    __tablename__ = "comparisons"
    __table_args__ = (
        CheckConstraint("answer_a_id < answer_b_id", name="pair"),
        CheckConstraint("winner IN ('a', 'b', 'tie', 'both_bad')", name="winner"),
        UniqueConstraint("answer_a_id", "answer_b_id", "annotator_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    answer_a_id: Mapped[UUID] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"))
    answer_b_id: Mapped[UUID] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), index=True)
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotators.id", ondelete="CASCADE"), index=True)
    winner: Mapped[str] = mapped_column(String(8))
    swapped: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class QueueMark(Base):
    """An answer that a person put aside in the annotation queue: skipped, or begun with a draft."""

    __tablename__ = "marks"
    __table_args__ = (CheckConstraint("state IN ('draft', 'skipped')", name="state"),)

    annotator_id: Mapped[int] = mapped_column(
        ForeignKey("annotators.id", ondelete="CASCADE"), primary_key=True
    )
    answer_id: Mapped[UUID] = mapped_column(
        ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    state: Mapped[str] = mapped_column(String(8))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    draft: Mapped[dict[str, Any] | None] = mapped_column(NullableJson)


class SpanState:
    """A person's remark on a part of a clip; shared by a span and by each of its revisions.

    start_s, end_s: seconds of the original clip.  label: what kind of remark it is, such as `missed`.
    """

    start_s: Mapped[float]
    end_s: Mapped[float]
    label: Mapped[str] = mapped_column(String(32))
    comment: Mapped[str | None] = mapped_column(Text)
    withdrawn: Mapped[bool]


def _span_checks() -> tuple[CheckConstraint]:
    return (CheckConstraint("start_s >= 0 AND end_s > start_s", name="seconds"),)


class Span(SpanState, Base):
    """A span of what was heard that a person marked, as it counts now."""

    __tablename__ = "spans"
    __table_args__ = (*_span_checks(), Index(None, "answer_id", "annotator_id"))

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    answer_id: Mapped[UUID] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotators.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class SpanRevision(SpanState, Base):
    """Every state a span has had; rows are added, never changed."""

    __tablename__ = "span_revisions"
    __table_args__ = _span_checks()

    span_id: Mapped[UUID] = mapped_column(ForeignKey("spans.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class TokenVerdict(Base):
    """Whether one audio token, heard alone, mattered to the answer, and how SACLM had scored it.

    flagged: SACLM held it redundant.  start_s, end_s: seconds of the original clip.
    """

    __tablename__ = "token_verdicts"
    __table_args__ = (
        CheckConstraint("verdict IN ('mattered', 'did_not', 'unclear')", name="verdict"),
        CheckConstraint("token >= 0", name="token"),
    )

    answer_id: Mapped[UUID] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True)
    annotator_id: Mapped[int] = mapped_column(
        ForeignKey("annotators.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    token: Mapped[int] = mapped_column(primary_key=True)
    verdict: Mapped[str] = mapped_column(String(8))
    flagged: Mapped[bool]
    significance: Mapped[float]
    start_s: Mapped[float]
    end_s: Mapped[float]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Project(Base):
    """What a team rates together: guidelines, and how many people's judgements of each item are `wanted`."""

    __tablename__ = "projects"
    __table_args__ = (CheckConstraint("wanted >= 1", name="wanted"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    wanted: Mapped[int]
    closed: Mapped[bool]
    open_to_all: Mapped[
        bool
    ]  # else to its members; not told by their number, which deleting a person changes
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    guidelines: Mapped[str] = mapped_column(Text)


class ProjectMember(Base):
    """A person to whom a project is assigned, by the `name` under which the team knows them."""

    __tablename__ = "project_members"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    annotator_id: Mapped[int] = mapped_column(
        ForeignKey("annotators.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    name: Mapped[str] = mapped_column(String(200))


class Gold:
    """A judgement that is known to be right; all None where none is known. text: the preferred answer."""

    gold_thumb: Mapped[int | None]
    gold_score: Mapped[int | None]
    gold_text: Mapped[str | None] = mapped_column(Text)


def _gold_checks() -> tuple[CheckConstraint, CheckConstraint]:
    return (
        CheckConstraint("gold_thumb IN (-1, 1)", name="gold_thumb"),
        CheckConstraint("gold_score BETWEEN 1 AND 5", name="gold_score"),
    )


class ProjectItem(Gold, Base):
    """An answer to judge in a project. source: the clip's name where it was imported from."""

    __tablename__ = "project_items"
    __table_args__ = _gold_checks()

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    answer_id: Mapped[UUID] = mapped_column(
        ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    source: Mapped[str] = mapped_column(Text)


class Lease(Base):
    """An answer that a person has before them on an open page; until then nobody else is offered it.

    person: a hash of their id (`keys.holder_of`), since who only looks is no annotator yet.  purpose: whether
    it is there to be rated, or as the newer one of a pair to be compared.
    """

    __tablename__ = "leases"
    __table_args__ = (CheckConstraint("purpose IN ('rating', 'comparison')", name="purpose"),)

    answer_id: Mapped[UUID] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True)
    person: Mapped[str] = mapped_column(String(32), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)
    page: Mapped[str] = mapped_column(String(64), index=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ProjectImport(Gold, Base):
    """A clip that has to be asked about before it is an item of a project. path: where its file is.
    source: its name for people.  error: why it could not be asked about.  stopped: it waits until a person
    goes on.  attempts: how often a process began to ask about it and was gone before it ended."""

    __tablename__ = "project_imports"
    __table_args__ = _gold_checks()

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    task: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    source: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    question: Mapped[str] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    stopped: Mapped[bool] = mapped_column(default=False, server_default=false())
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")


class Recording(Base):
    """A whole recording that a person sent: what the model hears in it, and up to where it has.

    `sha256` is of the file. `seconds` is 0 until something was heard. `parts` and `edits` count the rows of
    the tables below. `path` is where the file was last, to go on after a restart.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint("heard_s >= 0 AND seconds >= 0", name="seconds"),
        UniqueConstraint("annotator_id", "sha256", "task", "model_fingerprint"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotators.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(String(64))
    task: Mapped[str] = mapped_column(String(32))
    model_fingerprint: Mapped[str] = mapped_column(String(128))
    seconds: Mapped[float]
    heard_s: Mapped[float]
    parts: Mapped[int]
    edits: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    name: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)


class RecordingPart(Base):
    """What was heard of a recording from start_s to end_s, as the model gave it; never changed."""

    __tablename__ = "recording_parts"
    __table_args__ = (CheckConstraint("start_s >= 0 AND end_s >= start_s", name="seconds"),)

    recording_id: Mapped[UUID] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    start_s: Mapped[float]
    end_s: Mapped[float]
    segments: Mapped[list[Any]] = mapped_column(Json)


class SegmentEdit(Base):
    """A change of a recording's segments by its owner; rows are added, never changed."""

    __tablename__ = "segment_edits"

    recording_id: Mapped[UUID] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    change: Mapped[dict[str, Any]] = mapped_column(Json)


class RecordingAnswer(Base):
    """An answer about a whole recording, which its owner alone sees. It has no trace, and is no `Answer`.

    way: whether the recording was read at once or span by span.  finish: why the answer ended.  leans_on: the
    spans (s) that it leans on, the strongest first.  model: as in `Answer`.  details: whatever else the model
    reported.
    """

    __tablename__ = "recording_answers"
    __table_args__ = (
        CheckConstraint("temperature >= 0", name="temperature"),
        Index(None, "recording_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    task: Mapped[str] = mapped_column(String(32))
    way: Mapped[str] = mapped_column(String(16))
    finish: Mapped[str] = mapped_column(String(16))
    preset: Mapped[str] = mapped_column(String(64))
    model_fingerprint: Mapped[str] = mapped_column(String(128))
    quantization: Mapped[str] = mapped_column(String(32))
    device: Mapped[str] = mapped_column(String(64))
    seed: Mapped[int] = mapped_column(BigInteger)
    temperature: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    question: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    leans_on: Mapped[list[dict[str, float]]] = mapped_column(Json)
    model: Mapped[dict[str, Any]] = mapped_column(Json)
    details: Mapped[dict[str, Any]] = mapped_column(Json)


class RecordingRating(Judgement, Base):
    """A state of the owner's rating of an answer about a recording, numbered from 1; the last one counts.
    Rows are added, never changed."""

    __tablename__ = "recording_ratings"
    __table_args__ = _judgement_checks()

    answer_id: Mapped[UUID] = mapped_column(
        ForeignKey("recording_answers.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    withdrawn: Mapped[bool]


class Secret(Base):
    """A secret that all processes of the app have in common (`storage.replicas.secrets`)."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(128))


class Login(Base):
    """Who is signed in to an account. token: the hash of what the browser's cookie holds.  credential: names
    the password, so that another one ends the login."""

    __tablename__ = "logins"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), index=True)
    credential: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class RequestTime(Base):
    """A request of the last minute that counts for a limit. who: a hash of the sender's address."""

    __tablename__ = "request_times"
    __table_args__ = (Index(None, "what", "who", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(64))
    who: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)


class QueuePlace(Base):
    """A page's place in the queue of one of the processes; it lapses with that process."""

    __tablename__ = "queue_places"

    queue: Mapped[str] = mapped_column(String(16), primary_key=True)
    page: Mapped[str] = mapped_column(String(64), primary_key=True)
    process: Mapped[str] = mapped_column(String(32))
    visitor: Mapped[str | None] = mapped_column(String(64))
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class PreparedFile(Base):
    """A file made for one person to download. key: the hash of what their page holds.  path: where the file
    is, in the storage that the processes share."""

    __tablename__ = "prepared_files"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    path: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
