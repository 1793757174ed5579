"""Going on from a checkpoint."""

from pathlib import Path

import torch

from tests import tiny
from usam.training.warm_start import start_from


def test_a_checkpoint_goes_on_as_it_was_with_more_words_and_a_silent_new_path(tmp_path: Path) -> None:
    old = tiny.adapter()
    old.save_pretrained(tmp_path)
    words = old.anchor.token_ids.tolist()  # type: ignore[union-attr]
    new = start_from(tmp_path, [*words, 90, 91]).eval()
    frames, mask = torch.randn(1, 32, sum(tiny.DIMS)), torch.ones(1, 32, dtype=torch.bool)
    assert new.qformer.slow is not None
    assert torch.allclose(new.encode(frames, mask)[0], old.encode(frames, mask)[0], atol=1e-6)
    assert new.anchor.token_ids.tolist() == [*words, 90, 91]  # type: ignore[union-attr]
