"""Loops at the end of an answer are found and cut; what is really said stays."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from usam.generation.repetition import KEPT, LONGEST, NUMBER_REPEATS, REPEATS, RepetitionGuard, run

WORDS = ["a", "b", "c", "d", "7", "0", ","]
tokens = st.integers(0, 3)  # letters
GUARD = RepetitionGuard(lambda token: WORDS[token])


def written(ids: Sequence[int]) -> tuple[list[int], list[int], bool]:
    """Token by token as an answer is: what is left, what was shown on the way, whether a loop cut it."""
    kept: list[int] = []
    shown = 0
    for token in ids:
        kept.append(token)
        cut = GUARD.cut(kept)
        if cut is not None:
            return kept[:cut], kept[:shown], True
        shown = max(shown, GUARD.settled(kept))
    return kept, kept[:shown], False


@given(st.lists(tokens, max_size=12), st.lists(tokens, min_size=1, max_size=LONGEST), st.integers(4, 9))
def test_a_loop_is_cut_to_some_occurrences(before: list[int], loop: list[int], times: int) -> None:
    left, shown, cut = written(before + loop * times)
    assert cut
    assert left == (before + loop * times)[: len(left)]
    assert GUARD.cut(left) is None
    assert len(left) <= len(before) + KEPT * len(loop) + LONGEST
    assert shown == left[: len(shown)], "what was shown is not taken back"


@given(st.lists(tokens, max_size=60))
def test_only_what_comes_again_and_again_is_cut(ids: list[int]) -> None:
    left, shown, cut = written(ids)
    repeats = any(
        run(ids[:end], period) >= REPEATS * period
        for end in range(len(ids) + 1)
        for period in range(1, LONGEST + 1)
    )
    assert cut == repeats
    assert cut or left == ids
    assert shown == left[: len(shown)]


@given(st.lists(tokens, min_size=1, max_size=LONGEST), tokens)
def test_three_times_is_no_loop(phrase: list[int], after: int) -> None:
    assume(all(run(phrase * 3, period) < REPEATS * period for period in range(1, LONGEST + 1)))
    assume(
        all(run([*phrase * 3][:end], p) < REPEATS * p for end in range(len(phrase) * 3) for p in range(1, 13))
    )
    assert written(phrase * 3) == (phrase * 3, phrase * 3, False) or not written(phrase * 3)[2]


@pytest.mark.parametrize(("ids", "cut"), [([4, *[5] * 6], False), ([4, *[5] * NUMBER_REPEATS], True)])
def test_a_number_may_have_many_zeros(ids: list[int], cut: bool) -> None:
    assert written(ids)[2] is cut
    assert written([4, *[6, 5, 5, 5] * 5])[2] is False, "7,000,000,000,000,000"
