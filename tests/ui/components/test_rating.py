"""What a rating says, and what of it speaks against itself."""

import pytest

from ui.components.rating import contradiction


@pytest.mark.parametrize(
    ("thumb", "score", "contradictory"),
    [(-1, 4, True), (-1, 5, True), (1, 1, True), (1, 2, True)]
    + [(thumb, 3, False) for thumb in (1, -1, None)]
    + [(-1, 1, False), (1, 5, False), (None, 5, False), (-1, None, False)],
)
def test_a_thumb_and_a_score_that_contradict_each_other(
    thumb: int | None, score: int | None, contradictory: bool
) -> None:
    assert bool(contradiction({"thumb": thumb, "score": score})) == contradictory
