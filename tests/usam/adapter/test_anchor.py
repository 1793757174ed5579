"""The word anchor: where no word is said, by place of a window."""

import pytest
import torch

from tests import tiny
from usam.adapter.anchor import WordAnchor
from usam.config import USAMConfig


@torch.inference_mode()
def test_the_blank_is_lower_at_its_place_of_every_window_and_words_are_as_before() -> None:
    anchor = WordAnchor(tiny.config()).eval()
    anchor.attach(torch.randn(60, 32))
    tokens = torch.randn(2, 10, 32)
    _, before = anchor(tokens)
    anchor.config.blank_by_place = (0.0, 0.5, 0.0, 2.0)
    mixed, after = anchor(tokens)
    assert torch.equal(after[..., :-1], before[..., :-1])
    lower = (before - after)[..., -1]
    assert lower[0].tolist() == pytest.approx([0.0, 0.5, 0.0, 2.0, 0.0, 0.5, 0.0, 2.0, 0.0, 0.5], abs=1e-5)
    assert mixed.shape == tokens.shape


@pytest.mark.parametrize("places", [(), (0.0, 0.0, 0.0, 1.0)])
def test_every_place_or_none_is_named(places: tuple[float, ...]) -> None:
    assert USAMConfig(blank_by_place=places).blank_by_place == places
    with pytest.raises(ValueError, match="blank_by_place"):
        USAMConfig(blank_by_place=(*places, 1.0))
