"""Spans of time in which something holds."""

from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from usam.encoders.words import spans


@given(
    st.lists(st.booleans(), max_size=60),
    st.sampled_from([3.125, 12.5, 50.0]),
    st.floats(0, 1),
    st.floats(0, 2),
)
def test_spans_are_in_order_apart_and_inside(
    active: list[bool], rate: float, reach: float, gap: float
) -> None:
    found = spans(torch.tensor(active, dtype=torch.bool), rate, reach, gap)
    assert all(0 <= start < end <= len(active) / rate + 1e-9 for start, end in found)
    assert all(b[0] - a[1] > gap for a, b in pairwise(found))
    for index, holds in enumerate(active):
        middle = (index + 0.5) / rate
        within = any(start <= middle <= end for start, end in found)
        assert within or not holds
    assert bool(found) == any(active)


@given(st.lists(st.booleans(), max_size=60))
def test_without_reach_they_are_where_it_holds_and_nowhere_else(active: list[bool]) -> None:
    found = spans(torch.tensor(active, dtype=torch.bool), 10.0)
    held = [any(start <= (i + 0.5) / 10 <= end for start, end in found) for i in range(len(active))]
    assert held == active


def test_near_spans_become_one() -> None:
    active = torch.tensor([True, False, False, True, False, False, False, False, True])
    assert spans(active, 1.0, gap=2.0) == ((0.0, 4.0), (8.0, 9.0))
    assert spans(active, 1.0, reach=0.5, gap=1.0) == ((0.0, 4.5), (7.5, 9.0))
