"""The judgements as flat tables, in chunks: one row a rating, comparison, span, judged token, item of a
project or rating of an answer about a whole recording, with what made the answer."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Boolean, Double, Integer, String, Uuid, false, func, select, true
from sqlalchemy.orm import aliased
from sqlalchemy.types import TypeEngine

from storage.database.schema import (
    Answer,
    Clip,
    Comparison,
    Project,
    ProjectItem,
    Rating,
    Recording,
    RecordingAnswer,
    RecordingRating,
    Span,
    TokenVerdict,
    UtcDateTime,
)
from storage.export.reader import Reader, Rows, split_of
from storage.ratings.recording_ratings import counts_now

CHUNK = 5000  # rows


def ratings(reader: Reader) -> Iterator[pd.DataFrame]:
    """Ratings that count now. `annotator` is a number, never the id that a person's browser keeps; each of
    the reader's dimensions is a column of its own, `flags` are joined by semicolons."""
    chunks = _chunks(
        reader,
        select(
            Rating.id.label("rating_id"),
            Rating.annotator_id.label("annotator"),
            Rating.thumb,
            Rating.score,
            Rating.dimensions,
            Rating.flags,
            Rating.correction,
            Rating.comment,
            Rating.revision,
            Rating.updated_at.label("rated_at"),
            Answer.id.label("answer_id"),
            Answer.parent_id,
            Answer.task,
            Answer.question,
            Answer.text.label("answer"),
            Answer.prompt,
            Answer.clip_sha256,
            Answer.heard_start,
            Answer.heard_end,
            Answer.clip_duration,
            Clip.audio_path,
            Answer.preset,
            Answer.model_fingerprint,
            Answer.quantization,
            Answer.device,
            Answer.seed,
            Answer.temperature,
            Answer.max_new_tokens,
            Answer.stopped,
            Answer.created_at.label("answered_at"),
        )
        .join(Answer, Rating.answer_id == Answer.id)
        .join(Clip, Clip.sha256 == Answer.clip_sha256)
        .where(Rating.withdrawn == false(), reader.covers(Answer.id))
        .order_by(Rating.updated_at),
    )
    for chunk in chunks:
        yield _spread(chunk, reader.dimensions.names)


def comparisons(reader: Reader) -> Iterator[pd.DataFrame]:
    """Votes between two answers."""
    a, b = aliased(Answer), aliased(Answer)
    return _chunks(
        reader,
        select(
            Comparison.id.label("comparison_id"),
            Comparison.annotator_id.label("annotator"),
            Comparison.winner,
            Comparison.swapped,
            Comparison.created_at.label("voted_at"),
            a.clip_sha256,
            a.task,
            a.question,
            a.id.label("answer_a_id"),
            a.text.label("answer_a"),
            a.model_fingerprint.label("model_fingerprint_a"),
            a.quantization.label("quantization_a"),
            a.seed.label("seed_a"),
            b.id.label("answer_b_id"),
            b.text.label("answer_b"),
            b.model_fingerprint.label("model_fingerprint_b"),
            b.quantization.label("quantization_b"),
            b.seed.label("seed_b"),
        )
        .join(a, Comparison.answer_a_id == a.id)
        .join(b, Comparison.answer_b_id == b.id)
        .where(reader.covers(a.id, b.id))
        .order_by(Comparison.id),
    )


def spans(reader: Reader) -> Iterator[pd.DataFrame]:
    """Marked spans that count now. Times are seconds of the original clip, as `heard_start` is."""
    return _chunks(
        reader,
        select(
            Span.id.label("span_id"),
            Span.annotator_id.label("annotator"),
            Span.start_s,
            Span.end_s,
            Span.label,
            Span.comment,
            Span.revision,
            Span.updated_at.label("marked_at"),
            *_answered(),
        )
        .join(Answer, Span.answer_id == Answer.id)
        .join(Clip, Clip.sha256 == Answer.clip_sha256)
        .where(Span.withdrawn == false(), reader.covers(Answer.id))
        .order_by(Span.id),
    )


def token_verdicts(reader: Reader) -> Iterator[pd.DataFrame]:
    """Single tokens that people heard alone, with SACLM's score and flag."""
    return _chunks(
        reader,
        select(
            TokenVerdict.annotator_id.label("annotator"),
            TokenVerdict.token,
            TokenVerdict.start_s,
            TokenVerdict.end_s,
            TokenVerdict.significance,
            TokenVerdict.flagged,
            TokenVerdict.verdict,
            TokenVerdict.updated_at.label("judged_at"),
            *_answered(),
        )
        .join(Answer, TokenVerdict.answer_id == Answer.id)
        .join(Clip, Clip.sha256 == Answer.clip_sha256)
        .where(reader.covers(Answer.id))
        .order_by(TokenVerdict.answer_id, TokenVerdict.annotator_id, TokenVerdict.token),
    )


def items(reader: Reader) -> Iterator[pd.DataFrame]:
    """Items of projects: where each was imported from, and what is known to be right about it."""
    of_project = true() if reader.project is None else ProjectItem.project_id == reader.project
    return _chunks(
        reader,
        select(
            Project.name.label("project"),
            ProjectItem.source,
            ProjectItem.gold_thumb,
            ProjectItem.gold_score,
            ProjectItem.gold_text,
            ProjectItem.created_at.label("imported_at"),
            *_answered(),
        )
        .join(Project, Project.id == ProjectItem.project_id)
        .join(Answer, Answer.id == ProjectItem.answer_id)
        .join(Clip, Clip.sha256 == Answer.clip_sha256)
        .where(of_project)
        .order_by(ProjectItem.project_id, ProjectItem.created_at, ProjectItem.answer_id),
    )


def recording_ratings(reader: Reader) -> Iterator[pd.DataFrame]:
    """Ratings of answers about whole recordings; none of a project's. `leans_on` is JSON. They have no split:
    no clip was heard that others may have asked about, and no format to train on takes them."""
    chunks = _chunks(
        reader,
        select(
            Recording.annotator_id.label("annotator"),
            RecordingRating.thumb,
            RecordingRating.score,
            RecordingRating.dimensions,
            RecordingRating.flags,
            RecordingRating.correction,
            RecordingRating.comment,
            RecordingRating.number.label("revision"),
            RecordingRating.created_at.label("rated_at"),
            RecordingAnswer.id.label("answer_id"),
            RecordingAnswer.task,
            RecordingAnswer.question,
            RecordingAnswer.text.label("answer"),
            RecordingAnswer.way,
            RecordingAnswer.leans_on,
            Recording.sha256.label("recording_sha256"),
            Recording.seconds.label("recording_seconds"),
            RecordingAnswer.preset,
            RecordingAnswer.model_fingerprint,
            RecordingAnswer.quantization,
            RecordingAnswer.device,
            RecordingAnswer.seed,
            RecordingAnswer.temperature,
            RecordingAnswer.finish,
            RecordingAnswer.created_at.label("answered_at"),
        )
        .join(RecordingAnswer, RecordingAnswer.id == RecordingRating.answer_id)
        .join(Recording, Recording.id == RecordingAnswer.recording_id)
        .where(counts_now(), true() if reader.project is None else false())
        .order_by(RecordingRating.created_at, RecordingRating.answer_id),
    )
    for chunk in chunks:
        leans = chunk["leans_on"].map(json.dumps).astype("str")
        yield _spread(chunk.assign(leans_on=leans), reader.dimensions.names)


def withdrawn(reader: Reader) -> int:
    """Ratings that are in no table because they were withdrawn."""
    if reader.project is not None:
        return reader.withdrawn()
    rated = select(func.count(RecordingRating.answer_id.distinct()))
    standing = select(func.count()).where(counts_now())
    of_recordings = (reader.session.scalar(rated) or 0) - (reader.session.scalar(standing) or 0)
    return reader.withdrawn() + of_recordings


def _answered() -> tuple[Any, ...]:
    """The columns that say which answer a part of a clip was marked for."""
    return (
        Answer.id.label("answer_id"), Answer.task, Answer.question, Answer.text.label("answer"),
        Answer.clip_sha256, Answer.heard_start, Answer.heard_end, Clip.audio_path,
        Answer.model_fingerprint, Answer.quantization, Answer.seed,
    )  # fmt: skip


def _chunks(reader: Reader, rows: Rows) -> Iterator[pd.DataFrame]:
    """At least one chunk, so that an empty table still has its columns."""
    for chunk in pd.read_sql(rows, reader.session.connection(), chunksize=CHUNK, dtype=_types(rows)):
        if "clip_sha256" in chunk:
            splits = [split_of(reader.first_copy(sha256)) for sha256 in chunk["clip_sha256"]]
            chunk["split"] = pd.Series(splits, chunk.index, dtype="str")
        yield chunk
        reader.count_read(len(chunk))


def _spread(chunk: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """A column for every dimension in the place of the one with all of them."""
    place = list(chunk.columns).index("dimensions")
    for offset, name in enumerate(names):
        scores = [dimensions.get(name) for dimensions in chunk["dimensions"]]
        chunk.insert(place + offset, f"dimension_{name}", pd.array(scores, dtype="Int64"))
    flags = chunk["flags"].map(";".join).astype("str")
    return chunk.drop(columns="dimensions").assign(flags=flags)


def _types(rows: Rows) -> dict[str, str]:
    """One type a column, whatever a chunk holds; JSON is left to `_spread`."""
    kinds: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
        (Boolean, "bool"),
        (Integer, "Int64"),
        (Double, "float64"),
        (String, "str"),
        (Uuid, "str"),
        (UtcDateTime, "datetime64[us, UTC]"),
    )
    return {
        column.name: dtype
        for column in rows.selected_columns
        for kind, dtype in kinds
        if isinstance(column.type, kind)
    }


TABLES: dict[str, Callable[[Reader], Iterator[pd.DataFrame]]] = {
    "ratings": ratings,
    "comparisons": comparisons,
    "spans": spans,
    "token_verdicts": token_verdicts,
    "items": items,
    "recording_ratings": recording_ratings,
}
