"""Experts by what they are known to do: `expert 1, mostly speech`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from usam.schema.trace import Trace

MOSTLY = 0.5
"""Of an expert's weight over the evaluation's kinds of audio, how much one kind has to have to name it."""


def expert_names(trace: Trace, measured: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Each expert's name with the kind of audio that it gets most of in the evaluation; without an evaluation
    of so many experts, or where no kind stands out, the bare name.

    measured: what the evaluation of the checkpoint found about its router.
    """
    if not measured or len(measured["load"]) != len(trace.experts):
        return trace.experts
    kinds: Mapping[str, list[float]] = measured["share_by_kind"]
    names = []
    for index, name in enumerate(trace.experts):
        shares = {kind: share[index] for kind, share in kinds.items()}
        total = sum(shares.values())
        most = max(shares, key=lambda kind: shares[kind], default="")
        named = total > 0 and shares[most] / total >= MOSTLY
        names.append(f"{name}, mostly {most}" if named else name)
    return tuple(names)
