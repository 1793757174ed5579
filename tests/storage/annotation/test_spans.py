"""Marked spans: kept with their history, seen and changed by their owner alone, exported and forgotten."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage import Feedback
from storage.annotation.spans import MOST, Spans
from storage.errors import NotFoundError, RatingError
from storage.export import export

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def spans(feedback: Feedback) -> Spans:
    return Spans(feedback.database)


@pytest.fixture
def answer(feedback: Feedback, make_record: Make) -> str:
    """Of what was heard from 1 to 4 s."""
    return feedback.record_answer(make_record(), annotator="asker")


def states(spans: Spans, span: str, annotator: str = "me") -> list[tuple[Any, ...]]:
    return [(r.number, r.start, r.end, r.label, r.withdrawn) for r in spans.history(span, annotator)]


def test_a_span_is_marked_changed_withdrawn_and_brought_back(spans: Spans, answer: str) -> None:
    span = spans.mark(answer, "me", 1.5, 2.0, "missed", " a horn ")
    assert (span.start, span.end, span.label, span.comment) == (1.5, 2.0, "missed", " a horn ")
    changed = spans.change(span.id, "me", 1.5, 2.5, "wrong")
    assert (changed.id, changed.end, changed.comment, changed.revision) == (span.id, 2.5, None, 2)
    spans.change(span.id, "me", 1.5, 2.5, "wrong")
    assert spans.of(answer, "me") == [changed]
    assert spans.withdraw(span.id, "me")
    assert not spans.withdraw(span.id, "me")
    assert spans.of(answer, "me") == []
    spans.change(span.id, "me", 1.5, 2.5, "wrong")
    assert [found.id for found in spans.of(answer, "me")] == [span.id]
    assert states(spans, span.id) == [
        (1, 1.5, 2.0, "missed", False),
        (2, 1.5, 2.5, "wrong", False),
        (3, 1.5, 2.5, "wrong", True),
        (4, 1.5, 2.5, "wrong", False),
    ]


def test_others_neither_see_nor_touch_it(spans: Spans, answer: str) -> None:
    span = spans.mark(answer, "me", 1.0, 2.0, "missed")
    spans.mark(answer, "you", 3.0, 4.0, "other")
    assert [found.start for found in spans.of(answer, "you")] == [3.0]
    for touch in (
        lambda: spans.change(span.id, "you", 1.0, 3.0, "missed"),
        lambda: spans.withdraw(span.id, "you"),
        lambda: spans.history(span.id, "you"),
        lambda: spans.withdraw("no such id", "me"),
    ):
        with pytest.raises(NotFoundError):
            touch()
    assert spans.of(answer, "me") == [span]


@pytest.mark.parametrize(
    ("start", "end", "label", "comment", "why"),
    [
        (2.0, 2.0, "missed", None, "after it starts"),
        (3.0, 2.0, "missed", None, "after it starts"),
        (float("nan"), 2.0, "missed", None, "after it starts"),
        (0.5, 2.0, "missed", None, "1.00–4.00 s"),
        (2.0, 4.5, "missed", None, "1.00–4.00 s"),
        ("soon", 2.0, "missed", None, "in seconds"),
        (2.0, 3.0, "Not a name", None, "label"),
        (2.0, 3.0, "missed", "x" * 5001, "5,001"),
    ],
)
def test_what_is_no_span_is_refused_in_a_sentence(
    spans: Spans, answer: str, start: Any, end: Any, label: str, comment: str | None, why: str
) -> None:
    with pytest.raises(RatingError, match=why):
        spans.mark(answer, "me", start, end, label, comment)
    assert spans.of(answer, "me") == []


def test_an_edge_that_was_only_rounded_is_the_edge(spans: Spans, answer: str) -> None:
    span = spans.mark(answer, "me", 0.9951, 4.0049, "missed")
    assert (span.start, span.end) == (1.0, 4.0)


def test_nobody_marks_without_end(spans: Spans, answer: str) -> None:
    for _ in range(MOST):
        last = spans.mark(answer, "me", 1.0, 2.0, "other")
    with pytest.raises(RatingError, match=str(MOST)):
        spans.mark(answer, "me", 1.0, 2.0, "other")
    spans.withdraw(last.id, "me")
    spans.mark(answer, "me", 1.0, 2.0, "other")


def test_csv_and_json_lines_hold_the_spans_that_count(spans: Spans, answer: str, tmp_path: Path) -> None:
    spans.mark(answer, "me", 2.0, 3.0, "missed", "=HYPERLINK()")
    spans.mark(answer, "you", 1.5, 1.75, "mattered")
    gone = spans.mark(answer, "me", 1.0, 4.0, "wrong")
    spans.withdraw(gone.id, "me")
    done = export(spans.database, "csv", tmp_path)
    table = pd.read_csv(tmp_path / "spans.csv").sort_values("start_s")
    assert table["start_s"].tolist() == [1.5, 2.0]
    assert table["end_s"].tolist() == [1.75, 3.0]
    assert table["label"].tolist() == ["mattered", "missed"]
    assert table["comment"].tolist()[1] == "'=HYPERLINK()"
    assert set(table["answer_id"]) == {answer}
    assert done.rows["spans.csv"] == 2

    done = export(spans.database, "spans", tmp_path)
    (row,) = [
        json.loads(line) for file in tmp_path.glob("t*.jsonl") for line in file.read_text().splitlines()
    ]
    assert row["completion"] == [{"role": "assistant", "content": "a dog barks"}]
    assert [(span["start"], span["end"], span["label"]) for span in row["spans"]] == [
        (0.5, 0.75, "mattered"),
        (1.0, 2.0, "missed"),
    ], "in seconds of the kept audio, which begins where the model began to hear"
    assert (done.read["spans"], done.rows.total()) == (2, 1)


def test_they_are_counted_and_deleted_with_their_owner_or_their_answer(
    spans: Spans, feedback: Feedback, answer: str
) -> None:
    span = spans.mark(answer, "me", 1.0, 2.0, "missed")
    spans.mark(answer, "you", 1.0, 2.0, "missed")
    assert feedback.holdings("me").spans == 1
    assert feedback.forget(annotator="me").spans == 1
    with pytest.raises(NotFoundError):
        spans.history(span.id, "me")
    assert len(spans.of(answer, "you")) == 1
    assert feedback.forget(annotator="asker").spans == 1
