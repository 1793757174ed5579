"""Pairs of answers by two checkpoints: who is asked about which, and what the votes come to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import Feedback
from storage.annotation.blind_pairs import BlindPair, BlindPairs

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def blind(feedback: Feedback) -> BlindPairs:
    return BlindPairs(feedback.database)


@pytest.fixture
def kept(feedback: Feedback, make_record: Make, tmp_path: Path) -> Callable[..., str]:
    """Stores an answer with its audio."""
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"RIFF")

    def keep(text: str, clip: str = "dog", **changes: Any) -> str:
        record = make_record(text, clip, **changes)
        return feedback.record_answer(record, annotator="asker", audio_path=str(sound))

    return keep


@pytest.fixture
def pair(feedback: Feedback, make_record: Make, kept: Callable[..., str]) -> Callable[..., BlindPair]:
    def make(clip: str = "dog") -> BlindPair:
        source = kept("asked", clip)
        old, new = (
            feedback.record_answer(make_record(text, clip), annotator=None, parent=source)
            for text in ("old", "new")
        )
        return BlindPair(source, old, new)

    return make


def test_kept_answers_are_asked_again_once_for_each_input(
    blind: BlindPairs, feedback: Feedback, make_record: Make, kept: Callable[..., str]
) -> None:
    kept("first")
    again, other = kept("second"), kept("third", question="Who barks?")
    feedback.record_answer(make_record("fourth", "cat"), annotator="asker")
    kept("", "silent")
    assert {id_ for id_, _ in blind.sources()} == {again, other}
    assert blind.texts(again) == {"first", "second"}


def test_each_person_votes_once_on_each_pair_the_least_judged_first(
    blind: BlindPairs, feedback: Feedback, pair: Callable[..., BlindPair]
) -> None:
    pairs = [pair("dog"), pair("cat"), pair("bird")]
    dog, cat, bird = pairs
    feedback.compare(dog.new, dog.old, "you", "a")
    feedback.compare(bird.old, bird.new, "me", "a")
    assert blind.upcoming(pairs, "me") == cat
    assert blind.upcoming(pairs, "me", without=[cat]) == dog
    assert blind.upcoming([dog], "you") is None
    rate = blind.win_rate(pairs)
    assert (rate.wins, rate.losses, rate.ties, rate.people) == (1, 1, 0, 2)
    feedback.compare(cat.old, cat.new, "me", "both_bad")
    feedback.compare(dog.old, dog.new, "me", "tie")
    feedback.compare(dog.source, dog.old, "me", "a")  # not between the two
    rate = blind.win_rate(pairs)
    assert (rate.wins, rate.losses, rate.ties, rate.people) == (1, 1, 2, 2)
    assert blind.upcoming(pairs, "me") is None


def test_with_a_person_go_the_answers_to_what_they_asked(
    blind: BlindPairs, feedback: Feedback, pair: Callable[..., BlindPair]
) -> None:
    pairs = [pair("dog")]
    feedback.compare(pairs[0].new, pairs[0].old, "you", "a")
    assert feedback.forget(annotator="asker").answers == 3
    assert blind.upcoming(pairs, "me") is None
    assert blind.win_rate(pairs).votes == 0
