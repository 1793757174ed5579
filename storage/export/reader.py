"""Streams judgements out of the database, each with the prompt; shared by every format."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, literal, select, true, union_all
from sqlalchemy.orm import Session, aliased

from storage.analysis.dimensions import Dimensions, dimensions_in
from storage.database.membership import item_of
from storage.database.schema import Answer, Clip, Comparison, Rating, Span
from storage.export.copies import first_copies
from storage.files import FileStore
from storage.ratings.validation import DIMENSIONS

BATCH = 1000
CLIPS = "audio"
"""The export's folder of clips that go along."""
TEST_SHARE = 0.1

Message = dict[str, str]
RowsRead = Callable[[int, int], None]
"""Called now and then with the number of judgements read, and about how many there are."""
Rows = Select[*tuple[Any, ...]]


def split_of(sha256: str) -> str:
    """`train` or `test`, by the first copy of a clip; every judgement of it falls on the same side."""
    return "test" if int(sha256[:8], 16) < TEST_SHARE * 2**32 else "train"


def reply(text: str) -> list[Message]:
    return [{"role": "assistant", "content": text}]


@dataclass(frozen=True)
class Prompt:
    """What answers answer: a clip, earlier turns about it, and a question.

    first_copy: the hash of the clip itself, or of the one that it is a copy of.  audio: the kept clip.
    bundled: its path in the export's folder, where clips go along with the rows.
    """

    input_hash: str
    first_copy: str
    messages: list[Message]
    audio: Path | None
    bundled: str | None = None
    task: str = "qa"

    def to_json(self) -> dict[str, Any]:
        """TRL's conversational `prompt`, and `audios` when the audio was kept (stock TRL ignores it)."""
        return {"prompt": self.messages, **self.audios()}

    def audios(self) -> dict[str, list[str]]:
        return {"audios": [self.bundled or str(self.audio)]} if self.audio else {}


@dataclass(frozen=True)
class Reply:
    """An answer's text; `finished` when the model ended it itself."""

    text: str
    finished: bool


@dataclass(frozen=True)
class Vote:
    """A comparison's outcome between two answers to the same input."""

    prompt: Prompt
    a: Reply
    b: Reply
    winner: str


@dataclass(frozen=True)
class Verdict:
    """What people think of one text as the answer to one input: thumbs up minus down, and their number.

    An answer in a pair of which both are bad counts as a thumb down.
    """

    prompt: Prompt
    reply: Reply
    net: int
    votes: int


class Reader:
    """Streams over one consistent snapshot.

    files: where kept audio is.  bundled: whether clips go along with the rows.
    dimensions: what answers are scored on; of others only the most used are read.  project: the key of the
    project whose items alone are read, None for all answers.
    """

    def __init__(
        self,
        session: Session,
        files: FileStore,
        *,
        bundled: bool = False,
        progress: RowsRead | None = None,
        dimensions: Collection[str] = DIMENSIONS,
        project: int | None = None,
    ) -> None:
        self.session = session
        self.project = project
        self._known = dimensions
        self.files = files
        self.bundled = bundled
        self.progress = progress
        self._read = 0
        self._total = self._judgements() if progress else 0

    @cached_property
    def dimensions(self) -> Dimensions:
        return dimensions_in(self.session, self._known, self.covers(Rating.answer_id))

    def first_copy(self, sha256: str) -> str:
        """The hash of the first clip that this one is a copy of, mostly its own; those from before there were
        fingerprints have no copies."""
        return self._first_copies.get(sha256, sha256)

    @cached_property
    def _first_copies(self) -> dict[str, str]:
        clips = select(Clip.sha256, Clip.seconds, Clip.fingerprint).where(Clip.fingerprint.is_not(None))
        in_order = clips.order_by(Clip.created_at, Clip.sha256)
        found = self.session.execute(in_order, execution_options={"yield_per": BATCH})
        return first_copies((sha256, seconds, bits) for sha256, seconds, bits in found if bits)

    def covers(self, *answers: Any) -> ColumnElement[bool]:
        """That the answers with these ids are what is read."""
        if self.project is None:
            return true()
        return and_(*(item_of(self.project, answer) for answer in answers))

    def count_read(self, count: int) -> None:
        """So many more judgements have been read."""
        self._read += count
        if self.progress:
            self.progress(self._read, max(self._total, self._read))

    def corrections(self) -> Iterator[tuple[Prompt, Reply, str]]:
        """(the prompt, the answer, the corrected answer)."""
        rows = self.stream(
            prompts()
            .add_columns(Rating.correction)
            .join(Rating, Rating.answer_id == Answer.id)
            .where(Rating.correction.is_not(None), Rating.withdrawn == false())
            .order_by(Rating.id)
        )
        for row in rows:
            yield self.prompt_in(row), Reply(row.text, not row.stopped), row.correction

    def comparisons(self) -> Iterator[Vote]:
        other = aliased(Answer)
        rows = self.stream(
            prompts()
            .add_columns(other.text.label("other_text"), other.stopped.label("other_stopped"))
            .add_columns(Comparison.winner)
            .join(Comparison, Comparison.answer_a_id == Answer.id)
            .join(other, Comparison.answer_b_id == other.id)
            .where(self.covers(other.id))
            .order_by(Comparison.id)
        )
        for row in rows:
            a, b = Reply(row.text, not row.stopped), Reply(row.other_text, not row.other_stopped)
            yield Vote(self.prompt_in(row), a, b, row.winner)

    def spans(self) -> Iterator[tuple[Prompt, str, list[dict[str, Any]]]]:
        """(the prompt, the answer's text, all spans that people marked of it), an answer at a time. Their
        times are seconds of the heard audio, which is what is kept."""
        rows = self.stream(
            prompts()
            .add_columns(Answer.id, Answer.heard_start, Span.annotator_id, Span.start_s, Span.end_s)
            .add_columns(Span.label, Span.comment)
            .join(Span, Span.answer_id == Answer.id)
            .where(Span.withdrawn == false())
            .order_by(Answer.id, Span.start_s, Span.id)
        )
        for _, same in groupby(rows, key=lambda row: row.id):
            marked = []
            for row in same:
                span = {
                    "start": round(row.start_s - row.heard_start, 4),
                    "end": round(row.end_s - row.heard_start, 4),
                    "label": row.label,
                    "annotator": row.annotator_id,
                }
                marked.append({**span, "comment": row.comment} if row.comment else span)
            yield self.prompt_in(row), row.text, marked

    def verdicts(self) -> Iterator[Verdict]:
        """One verdict a judged text, those on the same input in a row."""
        thumbs = select(Rating.answer_id, Rating.thumb.label("vote")).where(
            Rating.thumb.in_((-1, 1)), Rating.withdrawn == false()
        )
        both_bad = [
            select(side, literal(-1)).where(Comparison.winner == "both_bad")
            for side in (Comparison.answer_a_id, Comparison.answer_b_id)
        ]
        votes = union_all(thumbs, *both_bad).subquery()
        rows = self.stream(
            prompts()
            .add_columns(votes.c.vote)
            .join(votes, votes.c.answer_id == Answer.id)
            .order_by(Answer.input_hash, Answer.text, Answer.stopped.desc())
        )
        for _, same in groupby(rows, key=lambda row: (row.input_hash, row.text)):
            net = count = 0
            for row in same:
                net, count = net + row.vote, count + 1
            # The last of them is finished if any is.
            yield Verdict(self.prompt_in(row), Reply(row.text, not row.stopped), net, count)

    def ratings_by(self, column: Any) -> Counter[Any]:
        """Number of ratings that count now, by the value of one of their columns."""
        counted = select(column, func.count()).where(
            Rating.withdrawn == false(), self.covers(Rating.answer_id)
        )
        return self._counts(counted.group_by(column))

    def withdrawn(self) -> int:
        counted = select(func.count()).where(Rating.withdrawn, self.covers(Rating.answer_id))
        return self.session.scalar(counted) or 0

    def comparisons_by(self, *columns: Any) -> Counter[Any]:
        """Number of comparisons, by the values of their columns (one value, or a tuple of several)."""
        both = self.covers(Comparison.answer_a_id, Comparison.answer_b_id)
        counted = select(*columns, func.count()).select_from(Comparison).where(both)
        return self._counts(counted.group_by(*columns))

    def _judgements(self) -> int:
        both = self.covers(Comparison.answer_a_id, Comparison.answer_b_id)
        counts = (
            select(func.count()).select_from(Rating).where(self.covers(Rating.answer_id)),
            select(func.count()).select_from(Comparison).where(both),
        )
        return sum(self.session.scalar(count) or 0 for count in counts)

    def _counts(self, counted: Rows) -> Counter[Any]:
        counts: Counter[Any] = Counter()
        for *values, count in self.session.execute(counted):
            counts[values[0] if len(values) == 1 else tuple(values)] = count
        return counts

    def stream(self, rows: Rows) -> Iterator[Row[Any]]:
        """The rows, of queries that begin with `prompts`, in batches, each counted as read."""
        found = self.session.execute(
            rows.where(self.covers(Answer.id)), execution_options={"yield_per": BATCH}
        )
        for batch in found.partitions():
            yield from batch
            self.count_read(len(batch))

    def prompt_in(self, row: Row[Any]) -> Prompt:
        """The prompt of a row of `prompts()`."""
        turns = [
            message
            for turn in row.history
            for message in ({"role": "user", "content": turn["question"]}, *reply(turn["answer"]))
        ]
        audio = self.files.get(row.audio_path) if row.audio_path else None
        return Prompt(
            input_hash=row.input_hash,
            first_copy=self.first_copy(row.clip_sha256),
            messages=[*turns, {"role": "user", "content": row.question or row.prompt}],
            audio=audio,
            bundled=f"{CLIPS}/{audio.name}" if audio and self.bundled else None,
            task=row.task,
        )


def prompts() -> Rows:
    """All answers, with what `Reader.prompt_in` needs."""
    return select(
        Answer.input_hash,
        Answer.clip_sha256,
        Answer.task,
        Answer.question,
        Answer.prompt,
        Answer.history,
        Answer.text,
        Answer.stopped,
        Clip.audio_path,
    ).join(Clip, Clip.sha256 == Answer.clip_sha256)
