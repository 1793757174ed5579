"""Every judgement as a row of its own, for `usam tune`: what was asked, what was judged, how, and by whom.

`{"evidence": ..., "clip": sha256, "task": ..., "prompt": [...], "annotator": ..., "weight": ...}`, with
`audios`; `clip` is the hash of the clip's first copy, so that all of them are held out or none. Of
`comparison`, `scores` and `correction` also the texts `chosen` and `rejected`; of `thumb` the text
`completion` and its `label`; of `tokens` and `spans` the text `completion` and `marks`: stretches in seconds
of the kept audio, and whether they `mattered`.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import false
from sqlalchemy.orm import aliased

from storage.database.keys import annotator_hash
from storage.database.schema import Annotator, Answer, Comparison, Rating, Span, TokenVerdict
from storage.export.audit import Audit
from storage.export.reader import Prompt, Reader, Reply, Rows, prompts
from storage.export.training.dpo import MOST_WAITING, Pair
from storage.export.training.jsonl import FILES, write_splits

__all__ = ["FILES", "write"]

SCORES_APART = 2  # of 1 to 5: a smaller difference between two scores may be none
MATTERED = {"missed": True, "mattered": True}  # labels of spans that say whether a stretch matters

Sample = tuple[Prompt, dict[str, Any]]


def write(reader: Reader, folder: Path, audit: Audit) -> None:
    audit.dropped["withdrawn"] = reader.withdrawn()

    def samples() -> Iterator[Sample]:
        for part in (_corrections, _comparisons, _scores, _thumbs, _tokens, _spans):
            yield from part(reader, audit)

    write_splits(samples(), folder, audit)


def _row(prompt: Prompt, evidence: str, annotator: str, **judged: Any) -> Sample:
    row = {
        "evidence": evidence,
        "clip": prompt.first_copy,
        "task": prompt.task,
        **prompt.to_json(),
        "annotator": annotator,
        "weight": 1.0,
        **judged,
    }
    return prompt, row


def _pair(pair: Pair, audit: Audit, evidence: str, annotator: str, weight: float = 1.0) -> Iterator[Sample]:
    if flaw := pair.flaw():
        audit.dropped[flaw] += 1
    else:
        texts = {"chosen": pair.chosen.text, "rejected": pair.rejected.text, "weight": weight}
        yield _row(pair.prompt, evidence, annotator, **texts)


def _ratings(*columns: Any) -> Rows:
    """Answers with each rating that counts, and who gave it."""
    return (
        prompts()
        .add_columns(Annotator.id, Annotator.created_at, *columns)
        .join(Rating, Rating.answer_id == Answer.id)
        .join(Annotator, Annotator.id == Rating.annotator_id)
        .where(Rating.withdrawn == false())
    )


def _corrections(reader: Reader, audit: Audit) -> Iterator[Sample]:
    rows = _ratings(Rating.correction).where(Rating.correction.is_not(None)).order_by(Rating.id)
    for row in reader.stream(rows):
        audit.read["corrections"] += 1
        pair = Pair(reader.prompt_in(row), Reply(row.correction, True), Reply(row.text, not row.stopped))
        yield from _pair(pair, audit, "correction", annotator_hash(row))


def _comparisons(reader: Reader, audit: Audit) -> Iterator[Sample]:
    other = aliased(Answer)
    rows = (
        prompts()
        .add_columns(other.text.label("other_text"), other.stopped.label("other_stopped"))
        .add_columns(Annotator.id, Annotator.created_at, Comparison.winner)
        .join(Comparison, Comparison.answer_a_id == Answer.id)
        .join(other, Comparison.answer_b_id == other.id)
        .join(Annotator, Annotator.id == Comparison.annotator_id)
        .where(reader.covers(other.id))
        .order_by(Comparison.id)
    )
    for row in reader.stream(rows):
        audit.read["comparisons"] += 1
        prompt, person = reader.prompt_in(row), annotator_hash(row)
        replies = Reply(row.text, not row.stopped), Reply(row.other_text, not row.other_stopped)
        if row.winner == "tie":
            audit.dropped["tie"] += 1
        elif row.winner == "both_bad":
            for reply in replies:
                yield _row(prompt, "thumb", person, completion=reply.text, label=False)
        else:
            chosen, rejected = replies if row.winner == "a" else reversed(replies)
            yield from _pair(Pair(prompt, chosen, rejected), audit, "comparison", person)


def _scores(reader: Reader, audit: Audit) -> Iterator[Sample]:
    """A person's scores of several answers to one input: the best with the worst, and so on inwards."""
    rows = (
        _ratings(Rating.score)
        .where(Rating.score.is_not(None))
        .order_by(Answer.input_hash, Annotator.id, Rating.score.desc(), Rating.id)
    )
    for _, same in groupby(reader.stream(rows), key=lambda row: (row.input_hash, row.id)):
        scored: list[Any] = []
        for row in same:
            audit.read["scores"] += 1
            if len(scored) < MOST_WAITING:
                scored.append(row)
            else:
                audit.dropped["unpaired"] += 1
        while len(scored) > 1 and (gap := scored[0].score - scored[-1].score) >= SCORES_APART:
            best, worst = scored.pop(0), scored.pop()
            pair = Pair(
                reader.prompt_in(best),
                Reply(best.text, not best.stopped),
                Reply(worst.text, not worst.stopped),
            )
            yield from _pair(pair, audit, "scores", annotator_hash(best), weight=gap / 4)
        audit.dropped["unpaired"] += len(scored)


def _thumbs(reader: Reader, audit: Audit) -> Iterator[Sample]:
    rows = _ratings(Rating.thumb).where(Rating.thumb.in_((-1, 1))).order_by(Rating.id)
    for row in reader.stream(rows):
        audit.read["thumbs"] += 1
        liked = row.thumb > 0
        if not row.text.strip():
            audit.dropped["empty"] += 1
        elif liked and row.stopped:
            audit.dropped["unfinished"] += 1
        else:
            yield _row(reader.prompt_in(row), "thumb", annotator_hash(row), completion=row.text, label=liked)


def _tokens(reader: Reader, audit: Audit) -> Iterator[Sample]:
    verdicts = TokenVerdict
    rows = (
        prompts()
        .add_columns(Answer.id.label("answer_id"), Answer.heard_start, Annotator.id, Annotator.created_at)
        .add_columns(verdicts.start_s, verdicts.end_s, verdicts.verdict)
        .join(verdicts, verdicts.answer_id == Answer.id)
        .join(Annotator, Annotator.id == verdicts.annotator_id)
        .where(verdicts.verdict.in_(("mattered", "did_not")))
        .order_by(Answer.id, Annotator.id, verdicts.token)
    )
    yield from _marks(reader, audit, "tokens", rows)


def _spans(reader: Reader, audit: Audit) -> Iterator[Sample]:
    rows = (
        prompts()
        .add_columns(Answer.id.label("answer_id"), Answer.heard_start, Annotator.id, Annotator.created_at)
        .add_columns(Span.start_s, Span.end_s, Span.label.label("verdict"))
        .join(Span, Span.answer_id == Answer.id)
        .join(Annotator, Annotator.id == Span.annotator_id)
        .where(Span.label.in_(MATTERED), Span.withdrawn == false())
        .order_by(Answer.id, Annotator.id, Span.start_s, Span.id)
    )
    yield from _marks(reader, audit, "spans", rows)


def _marks(reader: Reader, audit: Audit, evidence: str, rows: Rows) -> Iterator[Sample]:
    """What one person marked in the clip of one answer, an answer at a time."""
    for _, same in groupby(reader.stream(rows), key=lambda row: (row.answer_id, row.id)):
        marks, first = [], None
        for row in same:
            audit.read[evidence] += 1
            first = first or row
            marks.append(
                {
                    "start": round(row.start_s - row.heard_start, 4),
                    "end": round(row.end_s - row.heard_start, 4),
                    "mattered": row.verdict != "did_not",
                }
            )
        assert first is not None
        person = annotator_hash(first)
        yield _row(reader.prompt_in(first), evidence, person, completion=first.text, marks=marks)
