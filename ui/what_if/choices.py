"""What can be changed about an answer: the choices by name, and the interventions that they stand for."""

from __future__ import annotations

from collections.abc import Sequence

from usam.errors import RequestError
from usam.schema.interventions import (
    DropRandom,
    DropRedundant,
    DropSpan,
    ForceExpert,
    Intervention,
    KeepRedundant,
    ReadAll,
    Uniform,
)
from usam.schema.trace import Trace

SPAN = "drop-span"

_NAMES = {
    "none": "as it was",
    "uniform": "all experts equally",
    "read-all": "read all tokens",
    "drop-redundant": "without redundant tokens",
    "keep-redundant": "only redundant tokens",
    "drop-random": "without as many at random",
    "drop-span": "without a painted span",
}


def name_of(intervention: Intervention, experts: Sequence[str]) -> str:
    """The change in words, as a choice and as the head of a row."""
    if isinstance(intervention, ForceExpert):
        return f"only {experts[intervention.expert]}"
    if isinstance(intervention, DropSpan):
        return f"without {intervention.start:.2f}–{intervention.end:.2f}\u00a0s"
    return _NAMES[intervention.kind]


def changes(
    trace: Trace, span: tuple[float, float] | None, names: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """The interventions to choose from: their names, and the values `intervention_of` understands.
    names: of the experts, by default the trace's own.

    Reading all tokens is a choice where the model leaves out the redundant ones by itself.
    """
    experts = names or trace.experts
    forced = [
        (name_of(ForceExpert(index), experts), f"force-expert {index}") for index in range(len(experts))
    ]
    unpruned = [ReadAll()] if trace.pruned else []
    others = [*unpruned, Uniform(), DropRedundant(), KeepRedundant(), DropRandom()]
    painted = name_of(DropSpan(*span), experts) if span else "without a painted span"
    return [*forced, *((name_of(change, experts), change.kind) for change in others), (painted, SPAN)]


def intervention_of(choice: str | None, span: tuple[float, float] | None, draw: int = 0) -> Intervention:
    """The intervention a person chose; `draw` is the seed of a random one. Raises RequestError."""
    kind, _, index = (choice or "").partition(" ")
    if kind == "force-expert" and index.isdecimal():
        return ForceExpert(int(index))
    if kind == SPAN:
        if span is None:
            raise RequestError("Drag over the picture to paint the span to drop, or click a token.")
        return DropSpan(*span)
    plain = {
        change.kind: change
        for change in (ReadAll(), Uniform(), DropRedundant(), KeepRedundant(), DropRandom(draw))
    }
    if kind not in plain:
        raise RequestError("Choose what to change first.")
    return plain[kind]
