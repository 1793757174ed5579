"""Which clips are copies of others, by fingerprints alone."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from storage import Feedback
from storage.database.schema import Clip
from storage.errors import RecordError
from storage.export import copies, export
from storage.export.copies import MOST_DIFFERENT, first_copies
from storage.export.reader import split_of

Make = Callable[..., dict[str, Any]]
RANDOM = random.Random(5)


def different(fingerprint: str, bits: int) -> str:
    """With so many bits changed, from the last on: the first bands stay."""
    return f"{int(fingerprint, 16) ^ (1 << bits) - 1:064x}"


def any_fingerprint() -> str:
    return f"{RANDOM.getrandbits(256):064x}"


def test_what_differs_little_is_a_copy_and_what_differs_more_or_lasts_longer_is_not() -> None:
    first = any_fingerprint()
    clips = [
        ("first", 3.0, first),
        ("copy", 3.04, different(first, MOST_DIFFERENT)),
        ("other", 3.0, different(first, MOST_DIFFERENT + 1)),
        ("longer", 4.0, first),
        ("copy of the longer", 4.1, first),
    ]
    assert first_copies(clips) == {"copy": "first", "copy of the longer": "longer"}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.sampled_from([3.0, 3.1])), max_size=30))
def test_later_clips_change_nothing_for_earlier_ones(made: list[tuple[int, int, float]]) -> None:
    bases = [f"{n:016x}" * 4 for n in (3, 2**62 - 5, 77, 2**40)]
    clips = [(str(n), length, different(bases[base], bits)) for n, (base, bits, length) in enumerate(made)]
    found = first_copies(clips)
    for end in range(len(clips)):
        before = {str(n) for n in range(end)}
        assert first_copies(clips[:end]) == {name: first for name, first in found.items() if name in before}
    assert not set(found.values()) & set(found), "a copy is of one that is none itself"


def test_clips_that_are_alike_in_a_part_cost_no_square(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    alike = copies._alike

    def counted(one: tuple[str, float, int], other: tuple[str, float, int]) -> bool:
        nonlocal compared
        compared += 1
        return alike(one, other)

    monkeypatch.setattr(copies, "_alike", counted)
    clips = [(str(n), 3.0, "0" * 16 + any_fingerprint()[:48]) for n in range(2000)]
    assert first_copies(clips) == {}
    assert compared < 2000 * 200


def test_copies_fall_on_one_side_of_every_split(
    feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    """The clips lie on both sides by their hashes; the first of them is on the side of few."""
    names = sorted((str(n) for n in range(40)), key=lambda name: split_of(hash_of(make_record, name)))
    sounds = any_fingerprint()
    for n, name in enumerate(names):
        answer = feedback.record_answer(
            make_record(clip=name), annotator="me", fingerprint=different(sounds, n % 8)
        )
        feedback.rate(answer, "me", correction=f"another answer {n}")
    first = split_of(hash_of(make_record, names[0]))
    assert first != split_of(hash_of(make_record, names[-1]))
    for format in ("dpo", "preferences"):
        audit = export(feedback.database, format, tmp_path)
        assert audit.rows == {f"{first}.jsonl": 40}


def hash_of(make_record: Make, name: str) -> str:
    return str(make_record(clip=name)["heard"]["sha256"])


def test_a_fingerprint_is_kept_with_the_clip_and_a_later_one_changes_nothing(
    feedback: Feedback, make_record: Make
) -> None:
    one, other = any_fingerprint(), any_fingerprint()
    for fingerprint, kept in (("", None), (one, one), (other, one), ("", one)):
        feedback.record_answer(make_record(), annotator="me", fingerprint=fingerprint)
        with feedback.database.read() as session:
            assert session.scalar(select(Clip.fingerprint)) == kept


@pytest.mark.parametrize("fingerprint", ["zz", "AB" * 32, "0" * 63])
def test_what_is_no_fingerprint_is_refused(feedback: Feedback, make_record: Make, fingerprint: str) -> None:
    with pytest.raises(RecordError, match="fingerprint"):
        feedback.record_answer(make_record(), annotator="me", fingerprint=fingerprint)
