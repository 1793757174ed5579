"""Preferences for `usam tune`: every judgement with its kind and its person, who is named by a hash."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import Feedback
from storage.annotation.spans import Spans
from storage.annotation.token_verdicts import TokenVerdicts
from storage.export import export

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(feedback: Feedback, make_record: Make, tmp_path: Path) -> Callable[..., str]:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    return lambda text, **changes: feedback.record_answer(
        make_record(text, **changes), annotator="me", audio_path=str(clip)
    )


def rows(feedback: Feedback, folder: Path) -> list[dict[str, Any]]:
    export(feedback.database, "preferences", folder)
    return [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]


def test_every_kind_of_judgement_is_a_row(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    dog, cat = ask("a dog", task="aac"), ask("a cat", task="aac")
    feedback.compare(dog, cat, "me", "b")
    feedback.rate(dog, "me", thumb=1, score=2, correction="a fox")
    feedback.rate(cat, "me", score=5)
    feedback.rate(cat, "you", score=4)  # nobody else's scores are compared with it
    TokenVerdicts(feedback.database).judge(dog, "you", {0: "mattered", 1: "did_not"})
    Spans(feedback.database).mark(dog, "me", 1.5, 2.0, "missed")
    Spans(feedback.database).mark(dog, "me", 1.5, 2.0, "wrong")
    found = rows(feedback, tmp_path / "out")
    by_kind = {row["evidence"]: row for row in found}
    assert sorted(row["evidence"] for row in found) == [
        "comparison", "correction", "scores", "spans", "thumb", "tokens"
    ]  # fmt: skip
    assert (by_kind["comparison"]["chosen"], by_kind["comparison"]["rejected"]) == ("a cat", "a dog")
    assert (by_kind["scores"]["chosen"], by_kind["scores"]["weight"]) == ("a cat", 0.75)
    assert (by_kind["correction"]["chosen"], by_kind["correction"]["rejected"]) == ("a fox", "a dog")
    assert (by_kind["thumb"]["completion"], by_kind["thumb"]["label"]) == ("a dog", True)
    assert by_kind["spans"]["marks"] == [{"start": 0.5, "end": 1.0, "mattered": True}]
    assert [mark["mattered"] for mark in by_kind["tokens"]["marks"]] == [True, False]
    assert {row["task"] for row in found} == {"aac"}
    people = {row["evidence"]: row["annotator"] for row in found}
    assert people["tokens"] != people["comparison"]
    assert {people[kind] for kind in ("comparison", "scores", "thumb", "spans")} == {people["correction"]}
    assert "you" not in "".join(people.values())


def test_what_was_withdrawn_or_forgotten_is_not_there(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    answer = ask("a dog")
    feedback.rate(answer, "me", thumb=1, score=1, correction="a fox")
    feedback.rate(answer, "you", thumb=1)
    assert {row["evidence"] for row in rows(feedback, tmp_path / "out")} == {"thumb", "correction"}
    feedback.withdraw(answer, "me")
    assert [row["evidence"] for row in rows(feedback, tmp_path / "out")] == ["thumb"]
    (row,) = rows(feedback, tmp_path / "out")
    assert feedback.forget(annotator="you").annotator == row["annotator"]
    assert rows(feedback, tmp_path / "out") == []
