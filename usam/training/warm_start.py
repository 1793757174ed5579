"""Going on from a checkpoint: its weights, with room for more words and for paths it did not have."""

from pathlib import Path

import torch

from usam.adapter.adapter import USAMAdapter
from usam.config import USAMConfig
from usam.model.loading import load_adapter


def start_from(checkpoint: Path, token_ids: list[int]) -> USAMAdapter:
    """The checkpoint's adapter with `token_ids` added to its anchor, and a slow path, which starts at zero.

    The function it computes is unchanged but for the words added. Raises WeightsError if it cannot be read.
    """
    old = load_adapter(checkpoint)
    assert old.anchor is not None
    vocabulary = sorted({*old.anchor.token_ids.tolist(), *token_ids})
    sizes = old.config.to_dict() | {
        "anchor_tokens": len(vocabulary),
        "slow_size": old.config.slow_size or USAMConfig.from_preset("mini").slow_size,
    }
    adapter = USAMAdapter(USAMConfig(**sizes))
    state = {name: value for name, value in old.state_dict().items() if name != "anchor.token_ids"}
    missing, unexpected = adapter.load_state_dict(state, strict=False)
    added = [name for name in missing if not name.startswith(("qformer.slow.", "anchor.token_ids"))]
    if added or unexpected:
        raise ValueError(f"{checkpoint.name} has other parts: {[*added, *unexpected][:3]}")
    assert adapter.anchor is not None
    adapter.anchor.token_ids.copy_(torch.tensor(vocabulary))
    return adapter
