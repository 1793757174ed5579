"""Phrases for rendered instruments."""

import numpy as np
import pytest

from usam.data.synthetic.instruments import LABELS, phrase


@pytest.mark.parametrize("label", LABELS)
def test_rendered_phrases_stay_in_the_instruments_range_and_in_time(label: str) -> None:
    for seed in range(5):
        notes, channel, program = phrase(label, np.random.default_rng(seed))
        assert notes
        assert all(0 <= start < end and 0 < key < 128 and 0 < loud < 128 for start, end, key, loud in notes)
        assert channel in (0, 9)
        assert 0 <= program < 128
