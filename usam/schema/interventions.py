"""What can be done to a clip's audio tokens before the language model reads them.

Values only: the engine applies them (`Engine.ask(..., intervention=DropRedundant())`), and an answer records
the one it was given under.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from usam.errors import RequestError
from usam.schema.trace import Trace

# Spans come from people and rounded numbers: what touches a token by less, in seconds, misses it.
_TOUCH = 1e-6


@dataclass(frozen=True)
class Intervention:
    """Nothing is changed; the others say what they change."""

    kind: str = field(default="none", init=False)

    def routing(self, experts: Sequence[str]) -> list[float] | None:
        """One weight an expert, for every token instead of the router's; None leaves the router alone.

        Raises RequestError.
        """
        return None

    def kept(self, trace: Trace) -> list[bool]:
        """For every token of the trace whether the language model gets it. Raises RequestError."""
        return [not (trace.pruned and token.redundant) for token in trace.tokens]


@dataclass(frozen=True)
class ForceExpert(Intervention):
    """Every token goes through one expert alone: its place in `Trace.experts`, from 0."""

    kind: str = field(default="force-expert", init=False)
    expert: int

    def __post_init__(self) -> None:
        _check_whole("expert", self.expert)

    def routing(self, experts: Sequence[str]) -> list[float]:
        if not 0 <= self.expert < len(experts):
            choice = ", ".join(f"{index} ({name})" for index, name in enumerate(experts))
            raise RequestError(f"There is no expert {self.expert}. Choose one of {choice}.")
        return [float(index == self.expert) for index in range(len(experts))]


@dataclass(frozen=True)
class Uniform(Intervention):
    """Every token is the plain mean of all experts."""

    kind: str = field(default="uniform", init=False)

    def routing(self, experts: Sequence[str]) -> list[float]:
        return [1 / len(experts)] * len(experts)


@dataclass(frozen=True)
class ReadAll(Intervention):
    """Every token is read, also those that are redundant."""

    kind: str = field(default="read-all", init=False)

    def kept(self, trace: Trace) -> list[bool]:
        return [True] * len(trace.tokens)


@dataclass(frozen=True)
class DropRedundant(Intervention):
    """The tokens that the trace calls redundant are dropped."""

    kind: str = field(default="drop-redundant", init=False)

    def kept(self, trace: Trace) -> list[bool]:
        return [not token.redundant for token in trace.tokens]


@dataclass(frozen=True)
class KeepRedundant(Intervention):
    """Only the tokens that the trace calls redundant are kept."""

    kind: str = field(default="keep-redundant", init=False)

    def kept(self, trace: Trace) -> list[bool]:
        return [token.redundant for token in trace.tokens]


@dataclass(frozen=True)
class DropRandom(Intervention):
    """The control: as many tokens as are redundant, drawn from all tokens by the seed, are dropped."""

    kind: str = field(default="drop-random", init=False)
    seed: int = 0

    def __post_init__(self) -> None:
        _check_whole("seed", self.seed)

    def kept(self, trace: Trace) -> list[bool]:
        redundant = sum(token.redundant for token in trace.tokens)
        dropped = set(random.Random(self.seed).sample(range(len(trace.tokens)), redundant))
        return [index not in dropped for index in range(len(trace.tokens))]


@dataclass(frozen=True)
class DropSpan(Intervention):
    """Every token that overlaps the span is dropped; `start` and `end` in seconds of the original clip."""

    kind: str = field(default="drop-span", init=False)
    start: float
    end: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.start < self.end):
            raise RequestError("The span to drop needs a start and a later end, in seconds.")

    def kept(self, trace: Trace) -> list[bool]:
        outside = [
            token.end <= self.start + _TOUCH or token.start >= self.end - _TOUCH for token in trace.tokens
        ]
        if all(outside):
            heard = f"{trace.tokens[0].start:g} to {trace.tokens[-1].end:g} s"
            raise RequestError(f"The span to drop lies outside of what was heard, {heard}.")
        return [apart and read for apart, read in zip(outside, super().kept(trace), strict=True)]


def _check_whole(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise RequestError(f"The {name} has to be a whole number.")


KINDS: dict[str, type[Intervention]] = {
    kind.kind: kind
    for kind in (
        Intervention,
        ForceExpert,
        Uniform,
        ReadAll,
        DropRedundant,
        KeepRedundant,
        DropRandom,
        DropSpan,
    )
}


def from_json(record: Mapping[str, Any]) -> Intervention:
    """The intervention whose fields these are.

    Raises KeyError, TypeError or ValueError for anything else, RequestError for fields that make none.
    """
    settings = dict(record)
    return KINDS[settings.pop("kind")](**settings)
