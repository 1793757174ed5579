"""Answers that come twice: drawn from what a person rated a while ago, held against what they second then."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import Feedback
from storage.analysis.consistency import self_consistency
from storage.analysis.intervals import wilson
from storage.annotation.queue import Queue
from storage.annotation.repeats import GAP, Repeats
from storage.errors import RatingError

Make = Callable[..., dict[str, Any]]
Ask = Callable[..., str]


@pytest.fixture
def repeats(feedback: Feedback) -> Repeats:
    return Repeats(feedback.database)


@pytest.fixture
def ask(feedback: Feedback, make_record: Make, tmp_path: Path) -> Ask:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")

    def store(text: str, **changes: Any) -> str:
        return feedback.record_answer(make_record(text, **changes), annotator="asker", audio_path=str(clip))

    return store


@pytest.fixture
def rated(feedback: Feedback, ask: Ask) -> list[str]:
    """Answers that `me` rated, the earliest first; two more than the gap."""
    answers = [ask(f"answer {n}") for n in range(GAP + 2)]
    for answer in answers:
        feedback.rate(answer, "me", thumb=1, score=4, dimensions={"correctness": 3})
    return answers


def test_only_what_was_rated_a_while_ago_comes_again_and_only_once(
    repeats: Repeats, rated: list[str]
) -> None:
    early = set(rated[:2])
    assert set(repeats.due("me", 5)) == early
    assert repeats.due("me", 0) == []
    assert len(repeats.due("me", 1)) == 1
    assert repeats.due("you", 5) == []
    repeats.rate_again(rated[0], "me", thumb=-1)
    assert repeats.due("me", 5) == [rated[1]]
    repeats.withdraw(rated[0], "me")
    assert set(repeats.due("me", 5)) == early


def test_what_cannot_be_heard_or_was_not_scored_does_not_come_again(
    repeats: Repeats, feedback: Feedback, make_record: Make, rated: list[str]
) -> None:
    silent = feedback.record_answer(make_record("silent", clip="silent"), annotator="asker")
    feedback.rate(silent, "me", thumb=1)
    for answer in (rated[0], rated[1]):
        feedback.rate(answer, "me", comment="only words")
    feedback.withdraw(rated[2], "me")
    for n in range(GAP):
        feedback.rate(rated[n + 2], "me", thumb=-1)
    assert silent not in repeats.due("me", 50)
    assert repeats.due("me", 50, audio_only=False) == [silent]


def test_the_rating_that_counts_stays_as_it_was(
    repeats: Repeats, feedback: Feedback, rated: list[str]
) -> None:
    before = feedback.rating(rated[0], "me")
    repeats.rate_again(rated[0], "me", thumb=-1, score=1, comment="other mood")
    assert feedback.rating(rated[0], "me") == before
    assert len(feedback.history(rated[0], "me")) == 1
    second = repeats.second_rating(rated[0], "me")
    assert second is not None
    assert (second["thumb"], second["score"], second["comment"]) == (-1, 1, "other mood")
    repeats.withdraw(rated[0], "me")
    assert repeats.second_rating(rated[0], "me") is None


def test_without_a_rating_there_is_nothing_to_repeat(repeats: Repeats, ask: Ask, rated: list[str]) -> None:
    with pytest.raises(RatingError, match="not rated"):
        repeats.rate_again(ask("new"), "me", thumb=1)
    with pytest.raises(RatingError, match="needs"):
        repeats.rate_again(rated[0], "me")


def test_self_consistency_counts_what_was_rated_both_times(
    repeats: Repeats, feedback: Feedback, rated: list[str]
) -> None:
    repeats.rate_again(rated[0], "me", thumb=1, score=5, dimensions={"correctness": 3})
    repeats.rate_again(rated[1], "me", thumb=-1)
    feedback.rate(rated[2], "you", thumb=1)
    repeats.rate_again(rated[2], "you", thumb=1)
    found = {one.judged: one for one in repeats.self_consistency("me")}
    assert list(found) == ["thumb", "score", "correctness"]
    assert (found["thumb"].same, found["thumb"].repeats) == (1, 2)
    assert (found["score"].same, found["score"].close, found["score"].repeats) == (0, 1, 1)
    assert found["correctness"].same == 1
    assert (found["thumb"].low, found["thumb"].high) == wilson(1, 2)
    with feedback.database.read() as session:
        everyone = {one.judged: one for one in self_consistency(session)}
    assert (everyone["thumb"].same, everyone["thumb"].repeats, everyone["thumb"].people) == (2, 3, 2)
    assert repeats.self_consistency("nobody") == []


def test_a_later_change_of_mind_is_not_held_against_the_first_answer(
    repeats: Repeats, feedback: Feedback, rated: list[str]
) -> None:
    repeats.rate_again(rated[0], "me", thumb=1)
    feedback.rate(rated[0], "me", thumb=-1)
    (thumb,) = repeats.self_consistency("me")
    assert (thumb.same, thumb.repeats) == (1, 1)


def test_an_answer_waits_for_as_many_judgements_as_are_wanted(feedback: Feedback, ask: Ask) -> None:
    once, twice, none = (ask(text) for text in ("once", "twice", "none"))
    for person, answer in (("a", once), ("a", twice), ("b", twice), ("c", none)):
        feedback.rate(answer, person, thumb=1)
    feedback.withdraw(none, "c")
    queue = Queue(feedback.database, ratings_wanted=2)
    for order in ("entropy", "newest", "chance"):
        assert set(queue.upcoming("me", order)) == {once, none}, order
    assert queue.progress("me").left == 2
    assert set(Queue(feedback.database).upcoming("me")) == {once, twice, none}
    queue.draft(once, "me", {"thumb": 1})
    feedback.rate(once, "d", thumb=1)
    assert set(queue.upcoming("me")) == {once, none}, "what was begun may be finished"
