"""How the router separates speech, sounds and music, measured on real clips."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from usam.schema.segments import KINDS


def separation(routing: Sequence[tuple[str, Tensor]]) -> dict[str, Any]:
    """From every clip's kind and its tokens' routing [L, E]:

    mutual information (bits) of expert and kind of audio, the kinds weighted equally; the load of each
    expert (its mean weight) and the entropy of the load; mean weights by kind; and how many tokens each
    expert leads, that is has the largest weight of.
    """
    present = [kind for kind in KINDS if any(found == kind for found, _ in routing)]
    shares = {
        kind: np.mean([weights.mean(0).numpy() for found, weights in routing if found == kind], axis=0)
        for kind in present
    }
    conditional = np.stack(list(shares.values())).astype(float)
    load = conditional.mean(0)
    leaders = {
        kind: np.concatenate([weights.argmax(-1).numpy() for found, weights in routing if found == kind])
        for kind in present
    }
    leads = {kind: np.bincount(leader, minlength=len(load)) for kind, leader in leaders.items()}
    return {
        "mutual_information_bits": entropy_bits(load)
        - float(np.mean([entropy_bits(c) for c in conditional])),
        "load": load.tolist(),
        "load_entropy_bits": entropy_bits(load),
        "share_by_kind": {kind: value.tolist() for kind, value in shares.items()},
        "tokens_led": np.sum(list(leads.values()), axis=0).tolist(),
        "tokens_led_by_kind": {kind: value.tolist() for kind, value in leads.items()},
    }


def entropy_bits(distribution: np.ndarray) -> float:
    positive = distribution[distribution > 0]
    return float(-(positive * np.log2(positive)).sum())
