"""Answers about whole recordings: kept and rated by the recording's owner alone, and gone with it."""

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import Feedback
from storage.annotation.queue import Queue
from storage.annotation.recording_answers import RecordingAnswers
from storage.annotation.recordings import Recordings
from storage.answers.browse import SearchFilter, browse
from storage.errors import NotFoundError, RatingError, RecordError
from storage.export import FORMATS, export
from storage.ratings.recording_ratings import RecordingRatings
from tests.storage.versions import RECORDING_ANSWER

SHA = "a" * 64


@pytest.fixture
def talk(feedback: Feedback) -> str:
    return Recordings(feedback.database).open("me", SHA, "transcribe", "f00d", name="t", path="/t").id


@pytest.fixture
def answers(feedback: Feedback) -> RecordingAnswers:
    return RecordingAnswers(feedback.database)


@pytest.fixture
def ratings(feedback: Feedback) -> RecordingRatings:
    return RecordingRatings(feedback.database)


@pytest.fixture
def answer(answers: RecordingAnswers, talk: str) -> str:
    return answers.add(talk, "me", RECORDING_ANSWER)


def test_what_the_model_reported_is_kept_the_latest_first(answers: RecordingAnswers, talk: str) -> None:
    later = {**RECORDING_ANSWER, "answer": "A \0 talk", "way": "whole", "new key": ["\ud800"]}
    ids = [answers.add(talk, "me", record) for record in (RECORDING_ANSWER, later)]
    found = answers.of(talk, "me")
    assert [one.id for one in found] == ids[::-1]
    assert found[1].record == RECORDING_ANSWER
    assert (found[0].record["answer"], found[0].record["new key"]) == ("A \ufffd talk", ["\ufffd"])
    assert [one.id for one in answers.of(talk, "me", most=1)] == ids[1:]
    assert answers.of(talk, "me", most=None) == found


@pytest.mark.parametrize(
    "wrong", [{"answer": 5}, {"leans_on": [5]}, {"answer_s": float("nan")}, {"model": {}}]
)
def test_half_a_record_is_refused(answers: RecordingAnswers, talk: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(RecordError):
        answers.add(talk, "me", {**RECORDING_ANSWER, **wrong})
    assert answers.of(talk, "me") == []


def test_others_neither_see_nor_rate_them(
    answers: RecordingAnswers, ratings: RecordingRatings, talk: str, answer: str
) -> None:
    for touch in (
        lambda: answers.of(talk, "you"),
        lambda: answers.add(talk, "you", RECORDING_ANSWER),
        lambda: ratings.rate(answer, "you", thumb=1),
        lambda: ratings.withdraw(answer, "you"),
        lambda: ratings.history(answer, "you"),
        lambda: ratings.rate("no id", "me", thumb=1),
    ):
        with pytest.raises(NotFoundError):
            touch()
    assert [(one.id, one.rating) for one in answers.of(talk, "me")] == [(answer, None)]


said = st.fixed_dictionaries(
    {},
    optional={
        "thumb": st.sampled_from([-1, 1, None, 7]),
        "score": st.sampled_from([1, 5, None, 6]),
        "correction": st.sampled_from(["", "A wood.", "x\0"]),
        "comment": st.sampled_from(["", "no"]),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(said | st.none(), max_size=6))
def test_the_last_rating_counts_and_every_state_stays(
    answers: RecordingAnswers, ratings: RecordingRatings, talk: str, steps: list[dict[str, Any] | None]
) -> None:
    """None is a withdrawal. What is refused changes nothing."""
    answer = answers.add(talk, "me", RECORDING_ANSWER)
    count, counting = 0, None
    for step in steps:
        before = ratings.history(answer, "me")
        try:
            if step is None:
                assert ratings.withdraw(answer, "me") == (counting is not None)
                counting = None
            else:
                counting = ratings.rate(answer, "me", **step)  # type: ignore[arg-type]
        except RatingError:
            assert ratings.history(answer, "me") == before
        after = ratings.history(answer, "me")
        assert after[: len(before)] == before
        assert len(after) - len(before) <= 1
        count = len(after)
        assert [one.number for one in after] == list(range(1, count + 1))
        assert answers.of(talk, "me", most=1)[0].rating == counting


def test_the_same_again_is_no_revision(ratings: RecordingRatings, answer: str) -> None:
    for thumb in (1, 1, -1):
        ratings.rate(answer, "me", thumb=thumb, comment=" why ")
    assert [one.thumb for one in ratings.history(answer, "me")] == [1, -1]


def test_they_go_with_their_recording_and_their_person(
    answers: RecordingAnswers, ratings: RecordingRatings, feedback: Feedback, talk: str, answer: str
) -> None:
    answers.add(talk, "me", RECORDING_ANSWER)
    ratings.rate(answer, "me", thumb=1)
    ratings.rate(answer, "me", thumb=-1)
    held = feedback.holdings("me")
    assert (held.answers, held.recording_answers, held.ratings) == (0, 2, 1)
    ratings.withdraw(answer, "me")
    assert feedback.holdings("me").ratings == 0
    gone = feedback.forget(annotator="me")
    assert (gone.recordings, gone.ratings) == (1, 1)
    with pytest.raises(NotFoundError):
        ratings.history(answer, "me")
    again = Recordings(feedback.database).open("me", SHA, "transcribe", "f00d", name="t", path="/t").id
    rated = answers.add(again, "me", RECORDING_ANSWER)
    ratings.rate(rated, "me", thumb=1)
    Recordings(feedback.database).delete(again, "me")
    with pytest.raises(NotFoundError):
        answers.add(again, "me", RECORDING_ANSWER)
    assert feedback.holdings("me").ratings == 0


def test_only_tables_have_them(
    answers: RecordingAnswers,
    ratings: RecordingRatings,
    feedback: Feedback,
    talk: str,
    answer: str,
    tmp_path: Path,
) -> None:
    """Nothing to train on, to rate for others, or to browse: there is no clip that they are about."""
    withdrawn = answers.add(talk, "me", RECORDING_ANSWER)
    ratings.rate(withdrawn, "me", score=1)
    ratings.withdraw(withdrawn, "me")
    ratings.rate(answer, "me", thumb=1)
    ratings.rate(answer, "me", thumb=-1, correction="A wood.", flags=["hallucination"])
    for form in FORMATS:
        audit = export(feedback.database, form, tmp_path / form, audit=True)
        tables = form in ("csv", "parquet")
        assert +audit.rows == ({f"recording_ratings.{form}": 1} if tables else {}), form
        assert audit.dropped["withdrawn"] == (1 if tables else 0), form
    with (tmp_path / "csv" / "recording_ratings.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["thumb"], row["correction"], row["revision"]) == ("-1", "A wood.", "2")
    assert row["flags"] == "hallucination"
    assert (row["way"], row["recording_sha256"], row["model_fingerprint"]) == ("span by span", SHA, "f00d")
    assert row["leans_on"] == '[{"start": 20.0, "end": 40.0, "gain": 0.5}]'
    assert Queue(feedback.database).upcoming("you", audio_only=False) == []
    assert not browse(feedback.database, SearchFilter()).found
