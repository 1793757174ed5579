"""The deletion test: its conditions, its control, and its verdict in words."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests import tiny
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.interpretability.deletion import MAX_SEEDS, DeletionTest, deletion_test
from usam.interpretability.intervention import intervene
from usam.schema.answer import Answer
from usam.schema.interventions import DropRandom, DropRedundant, Intervention, KeepRedundant

CLIP = tiny.clip(2.0)


@pytest.fixture
def baseline(engine: Engine) -> Answer:
    return engine.ask(CLIP, "What is this?", max_new_tokens=8)


def test_every_condition_is_what_its_intervention_gives(engine: Engine, baseline: Answer) -> None:
    result = deletion_test(engine, CLIP, baseline, seeds=3)

    def change(intervention: Intervention) -> float:
        return intervene(engine, CLIP, baseline, intervention).logprob_change

    approx = pytest.approx
    assert result.drop_redundant - result.all == approx(change(DropRedundant()), abs=1e-5)
    assert result.keep_redundant - result.all == approx(change(KeepRedundant()), abs=1e-5)
    for seed, value in enumerate(result.drop_random):
        assert value - result.all == approx(change(DropRandom(seed)), abs=1e-5)
    assert len(set(result.drop_random)) == 3
    assert 0 < result.tokens_dropped < result.tokens == 25
    assert result.tokens_dropped == sum(token.redundant for token in baseline.trace.tokens)
    assert (result.reference, result.reference_given) == (baseline.text, False)
    assert result.supervised_by == "question+answer"


def test_a_typed_reference_is_measured_under_the_same_mask(engine: Engine, baseline: Answer) -> None:
    own, typed = (deletion_test(engine, CLIP, baseline, 1, text) for text in (None, " A dog. "))
    assert (typed.reference, typed.reference_given) == ("A dog.", True)
    assert typed.tokens_dropped == own.tokens_dropped
    ids = engine.model.prompts.answer("A dog.").tolist()
    assert typed.all == pytest.approx(
        engine.score(engine.audio_tokens_of(CLIP, baseline), baseline, ids).mean
    )
    assert typed.all != own.all


@pytest.mark.parametrize("redundant", [True, False])
def test_all_or_no_tokens_redundant_is_reported(engine: Engine, baseline: Answer, redundant: bool) -> None:
    tokens = tuple(replace(token, redundant=redundant) for token in baseline.trace.tokens)
    flagged = replace(baseline, trace=replace(baseline.trace, tokens=tokens))
    result = deletion_test(engine, CLIP, flagged, 2)
    assert (result.all == result.drop_redundant) is not redundant
    assert set(result.drop_random) == {result.drop_redundant}
    assert result.verdict().startswith("Every token" if redundant else "No token")


def test_a_test_among_other_threads_gives_what_it_gives_alone(engine: Engine, baseline: Answer) -> None:
    alone = deletion_test(engine, CLIP, baseline, 4)
    with ThreadPoolExecutor(3) as pool:
        asked = pool.submit(engine.ask, tiny.clip(1.0, 3), "Who?", temperature=1.0, max_new_tokens=30)
        tests = [pool.submit(deletion_test, engine, CLIP, baseline, 4) for _ in range(2)]
        assert [test.result(timeout=60) for test in tests] == [alone, alone]
    assert (
        asked.result().text == engine.ask(tiny.clip(1.0, 3), "Who?", temperature=1.0, max_new_tokens=30).text
    )


def test_unfit_requests_are_refused(engine: Engine, baseline: Answer) -> None:
    for seeds in (0, MAX_SEEDS + 1):
        with pytest.raises(RequestError, match="seeds"):
            deletion_test(engine, CLIP, baseline, seeds)
    with pytest.raises(RequestError, match="empty"):
        deletion_test(engine, CLIP, baseline, reference="  ")
    with pytest.raises(RequestError, match="too long"):
        deletion_test(engine, CLIP, baseline, reference="dog " * 1000)


def outcome(redundant: float, *random: float) -> DeletionTest:
    return DeletionTest(-1.0, redundant, random, -2.5, 50, 20, "A dog.", False, "question+answer")


@pytest.mark.parametrize(
    ("redundant", "verdict", "worse"),
    [
        (-1.1, "Redundancy held up", 2),
        (-1.4, "Redundancy did no better than chance", 1),
        (-1.3, "Redundancy did no better than chance", 1),
        (-1.6, "Redundancy did not hold up", 0),
    ],
)
def test_the_verdict_compares_with_every_draw(redundant: float, verdict: str, worse: int) -> None:
    said = outcome(redundant, -1.5, -1.3).verdict()
    assert said.startswith(verdict)
    assert f"{worse} of 2 random draws did more harm" in said
    assert f"{redundant + 1:+.3f}" in said
    assert "-0.400 on average" in said


def test_the_table_has_a_line_for_every_condition_and_ends_in_words() -> None:
    result = outcome(-1.1, -1.5, -1.3)
    lines = [line.split() for line in result.table().splitlines()]
    assert ["all", "50", "-1.000", "+0.000"] in lines
    assert ["drop", "redundant", "30", "-1.100", "-0.100"] in lines
    assert ["drop", "random", "1", "30", "-1.300", "-0.300"] in lines
    assert ["keep", "redundant", "20", "-2.500", "-1.500"] in lines
    assert result.table().endswith(result.verdict())
    assert json.loads(json.dumps(result.to_json()))["drop_random"] == [-1.5, -1.3]


def test_progress_is_reported_after_every_pass(engine: Engine, baseline: Answer) -> None:
    told: list[float] = []
    deletion_test(engine, CLIP, baseline, 2, progress=lambda message, share: told.append(share))
    assert told == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
