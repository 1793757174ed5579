"""When votes between two decide, however often one looks."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.analysis.intervals import wilson
from storage.analysis.win_rate import LEAST_VOTES, WinRate


def test_a_clear_preference_of_enough_people_decides() -> None:
    assert WinRate(24, 6, 0, people=2).decided
    assert WinRate(6, 24, 0, people=2).decided, "also against the new one"
    assert not WinRate(24, 6, 0, people=1).decided
    assert not WinRate(LEAST_VOTES - 1, 0, 0, people=2).decided
    assert not WinRate(18, 12, 0, people=2).decided
    assert not WinRate(0, 0, 500, people=2).decided


def test_ties_are_half_a_win_each() -> None:
    assert WinRate(8, 3, 1).share == pytest.approx(8.5 / 12)
    assert WinRate(6, 4, 90).share == pytest.approx(0.51)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_the_interval_holds_the_share_and_is_wider_than_that_of_one_look(w: int, l: int, t: int) -> None:  # noqa: E741
    rate = WinRate(w, l, t, people=2)
    low, high = rate.interval
    assert 0 <= low <= rate.share <= high <= 1
    once = wilson(w + t / 2, rate.votes)
    assert low <= once[0] + 1e-9
    assert once[1] <= high + 1e-9


def test_a_fair_coin_is_held_decided_in_less_than_a_twentieth_of_trials_that_are_watched() -> None:
    random, wrong = Random(0), 0
    for _ in range(60):
        wins = 0
        for votes in range(1, 101):
            wins += random.random() < 0.5
            if votes >= LEAST_VOTES and WinRate(wins, votes - wins, 0, people=2).decided:
                wrong += 1
                break
    assert wrong <= 3
