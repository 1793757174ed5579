"""A rating in depth: dimensions, flags, and every save undone in turn."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import Feedback
from storage.errors import RatingError
from storage.export import export
from storage.ratings.validation import MAX_DIMENSIONS

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def answer(feedback: Feedback, make_record: Make) -> str:
    return feedback.record_answer(make_record(), annotator="me")


def test_dimensions_and_flags_are_kept_with_their_history(feedback: Feedback, answer: str) -> None:
    feedback.rate(answer, "me", dimensions={"helpfulness": 2, "correctness": 5, "completeness": None})
    feedback.rate(answer, "me", dimensions={"correctness": 4}, flags=["unsafe", "hallucination", "unsafe"])
    rating = feedback.rating(answer, "me")
    assert rating is not None
    assert rating.dimensions == {"correctness": 4}
    assert rating.flags == ("hallucination", "unsafe"), "each once, in one order"
    assert [(r.dimensions, r.flags) for r in feedback.history(answer, "me")] == [
        ({"correctness": 5, "helpfulness": 2}, ()),
        ({"correctness": 4}, ("hallucination", "unsafe")),
    ]
    assert feedback.rate(answer, "me", dimensions={"correctness": 4}, flags=rating.flags).revision == 2


@pytest.mark.parametrize(
    "rating",
    [
        {"dimensions": {"correctness": 6}},
        {"dimensions": {"correctness": True}},
        {"dimensions": {"=formula": 3}},
        {"dimensions": {"x" * 33: 3}},
        {"dimensions": {"correctness": None}, "flags": []},
        {"flags": ["boring"]},
        {"dimensions": {f"invented_{n}": 3 for n in range(MAX_DIMENSIONS + 1)}},
        {"dimensions": [4, 5]},
        {"dimensions": "correctness"},
        {"flags": "unsafe"},
        {"flags": 3},
        {"flags": [{"unsafe": True}]},
        {"thumb": float("nan")},
        {"score": float("inf")},
        {"score": [3]},
        {"comment": {"text": "good"}},
    ],
)
def test_impossible_depth_is_refused(feedback: Feedback, answer: str, rating: dict[str, Any]) -> None:
    with pytest.raises(RatingError):
        feedback.rate(answer, "me", **rating)
    assert feedback.history(answer, "me") == []


def test_undo_says_when_nothing_is_left(feedback: Feedback, answer: str) -> None:
    with pytest.raises(RatingError, match="nothing to undo"):
        feedback.undo(answer, "me")
    feedback.rate(answer, "me", thumb=1)
    assert feedback.undo(answer, "me") is None
    assert feedback.rating(answer, "me") is None
    with pytest.raises(RatingError, match="nothing to undo"):
        feedback.undo(answer, "me")
    assert [r.restores for r in feedback.history(answer, "me")] == [None, 0]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from([1, 2, 3, "withdraw", "undo"]), max_size=14))
def test_undo_walks_back_over_the_saves_like_an_editor(
    feedback: Feedback, make_record: Make, steps: list[int | str]
) -> None:
    """`past` is what an editor's undo stack would hold; the last of it is what counts now."""
    answer, past = feedback.record_answer(make_record(), annotator="me"), [None]
    revisions = 0
    for step in steps:
        if step == "undo":
            if len(past) == 1:
                with pytest.raises(RatingError):
                    feedback.undo(answer, "me")
                continue
            feedback.undo(answer, "me")
            past.pop()
            revisions += 1
        elif step == "withdraw":
            changed = feedback.withdraw(answer, "me")
            assert changed == (past[-1] is not None)
            if changed:
                past.append(None)
                revisions += 1
        else:
            feedback.rate(answer, "me", score=int(step))
            if past[-1] != step:
                past.append(step)  # type: ignore[arg-type]
                revisions += 1
        rating = feedback.rating(answer, "me")
        assert (rating.score if rating else None) == past[-1]
    assert len(feedback.history(answer, "me")) == revisions


def test_the_table_has_a_column_for_each_dimension(
    feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    ratings: tuple[dict[str, Any], ...] = (
        {"dimensions": {"correctness": 4}},
        {"dimensions": {"fluency": 1}},
        {"flags": ["unsafe", "bad_audio"]},
    )
    for n, rating in enumerate(ratings):
        feedback.rate(feedback.record_answer(make_record(clip=str(n)), annotator="me"), "me", **rating)
    export(feedback.database, "csv", tmp_path)
    with (tmp_path / "ratings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["dimension_correctness"], row["dimension_fluency"], row["flags"]) for row in rows] == [
        ("4", "", ""),
        ("", "1", ""),
        ("", "", "unsafe;bad_audio"),
    ]
