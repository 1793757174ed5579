"""Interventions as values: which tokens and which routing they choose."""

from dataclasses import asdict

import pytest

from usam.errors import RequestError
from usam.schema.interventions import (
    DropRandom,
    DropRedundant,
    DropSpan,
    ForceExpert,
    Intervention,
    KeepRedundant,
    Uniform,
)
from usam.schema.trace import AudioToken, Trace

EXPERTS = ("speech", "sound", "music")


def trace(redundant: str = "-RR--R-R", start: float = 0.0) -> Trace:
    """Tokens of 80 ms; R marks the redundant ones."""
    return Trace(
        EXPERTS,
        tuple(
            AudioToken(start + i * 0.08, start + (i + 1) * 0.08, i // 4, (1, 0, 0), 0, 0, 0, 0, mark == "R")
            for i, mark in enumerate(redundant)
        ),
        "question+answer",
    )


def kept(intervention: Intervention, of: Trace) -> str:
    return "".join("x" if keep else "." for keep in intervention.kept(of))


def test_redundant_tokens_go_or_stay_alone() -> None:
    assert kept(Intervention(), trace()) == "xxxxxxxx"
    assert kept(DropRedundant(), trace()) == "x..xx.x."
    assert kept(KeepRedundant(), trace()) == ".xx..x.x"


def test_the_random_control_drops_as_many_by_its_seed() -> None:
    draws = [kept(DropRandom(seed), trace("-R" * 50)) for seed in range(5)]
    assert all(draw.count(".") == 50 for draw in draws)
    assert len(set(draws)) == 5
    assert draws[3] == kept(DropRandom(3), trace("-R" * 50))
    # From all tokens: a control drawn from one kind alone would be no control.
    for kind in (0, 1):
        assert 0 < draws[0][kind::2].count(".") < 50


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.16, 0.32, "xx..xxxx"),  # exactly on edges: the neighbours stay
        (0.17, 0.31, "xx..xxxx"),  # within
        (0.15, 0.33, "x....xxx"),  # just over
        (0.20, 0.21, "xx.xxxxx"),  # within one token
        (-5.0, 0.08, ".xxxxxxx"),
        (0.56, 99.0, "xxxxxxx."),
        (0.0, 0.64, "........"),
    ],
)
def test_a_span_takes_every_token_it_overlaps(start: float, end: float, expected: str) -> None:
    assert kept(DropSpan(start, end), trace()) == expected
    # The clock is the original clip's.
    assert kept(DropSpan(start + 60, end + 60), trace(start=60.0)) == expected


@pytest.mark.parametrize(("start", "end"), [(1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_span_that_is_none_is_refused(start: float, end: float) -> None:
    with pytest.raises(RequestError, match="later end"):
        DropSpan(start, end)


@pytest.mark.parametrize(("start", "end"), [(0.64, 1.0), (-1.0, 0.0)])
def test_a_span_outside_of_what_was_heard_is_refused(start: float, end: float) -> None:
    with pytest.raises(RequestError, match=r"outside of what was heard, 0 to 0\.64 s"):
        DropSpan(start, end).kept(trace())


def test_routing_is_one_expert_or_all_equal() -> None:
    assert Intervention().routing(EXPERTS) is None
    assert ForceExpert(2).routing(EXPERTS) == [0, 0, 1]
    assert Uniform().routing(EXPERTS) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("expert", [-1, 3])
def test_an_expert_that_does_not_exist_is_refused_with_the_choice(expert: int) -> None:
    with pytest.raises(RequestError, match=r"0 \(speech\), 1 \(sound\), 2 \(music\)"):
        ForceExpert(expert).routing(EXPERTS)


def test_an_answer_can_record_what_was_done() -> None:
    assert asdict(Intervention()) == {"kind": "none"}
    assert asdict(ForceExpert(1)) == {"kind": "force-expert", "expert": 1}
    assert asdict(DropRandom(7)) == {"kind": "drop-random", "seed": 7}
    assert asdict(DropSpan(0.5, 1)) == {"kind": "drop-span", "start": 0.5, "end": 1}
    kinds = [change.kind for change in (Intervention(), Uniform(), DropRedundant(), KeepRedundant())]
    assert kinds == ["none", "uniform", "drop-redundant", "keep-redundant"]
