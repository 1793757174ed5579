"""Requests a minute."""

import pytest

from ui.access.rate_limit import RateLimit
from usam.errors import RequestError

STRANGER = "203.0.113.7"


def test_a_minute_later_there_is_room_again() -> None:
    now = 0.0
    rate = RateLimit(2, "questions", clock=lambda: now)
    rate.take(STRANGER)
    now = 30.0
    rate.take(STRANGER)
    now = 59.0
    with pytest.raises(RequestError, match="in 1 s"):
        rate.take(STRANGER)
    now = 61.0
    rate.take(STRANGER)
    with pytest.raises(RequestError, match="in 29 s"):
        rate.take(STRANGER)


def test_visitors_are_forgotten_after_a_minute() -> None:
    now = 0.0
    rate = RateLimit(1, "questions", clock=lambda: now)
    for visitor in range(1000):
        now += 1.0
        rate.take(f"198.51.100.{visitor}")
    assert len(rate._times) <= 60
