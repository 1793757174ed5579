"""Interventions on a whole model: what the language model gets, and what becomes of the answer."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests import tiny
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.interpretability.intervention import InterventionResult, intervene
from usam.schema.answer import Answer, Turn
from usam.schema.interventions import (
    DropRandom,
    DropRedundant,
    DropSpan,
    ForceExpert,
    Intervention,
    KeepRedundant,
    Uniform,
)

CLIP = tiny.clip(2.0)


@pytest.fixture
def baseline(engine: Engine) -> Answer:
    answer = engine.ask(CLIP, "What is this?", history=[Turn("Who?", "A dog.")], max_new_tokens=8)
    # Both kinds of tokens, or the tests below would hold of nothing.
    assert 5 < sum(token.redundant for token in answer.trace.tokens) < 20
    return answer


def flagged(answer: Answer, redundant: bool) -> Answer:
    """The answer with every token called redundant, or none."""
    tokens = tuple(replace(token, redundant=redundant) for token in answer.trace.tokens)
    return replace(answer, trace=replace(answer.trace, tokens=tokens))


def read_by(engine: Engine) -> tuple[list[Tensor], Callable[[], None]]:
    """Collects the embeddings [S, D] of every prompt the language model reads."""
    read: list[Tensor] = []

    def look(module: Any, args: Any, kwargs: Any) -> None:
        embeds = kwargs["inputs_embeds"]
        if embeds is not None and embeds.shape[1] > 1:
            read.append(embeds[0])

    return read, engine.model.llm.get_decoder().register_forward_pre_hook(look, with_kwargs=True).remove


def test_no_change_changes_nothing(engine: Engine, baseline: Answer) -> None:
    result = intervene(engine, CLIP, baseline, Intervention())
    assert result.logprob_change == pytest.approx(0, abs=1e-6)
    assert (result.answer.text, result.answer.trace) == (baseline.text, baseline.trace)
    assert result.answer.history == baseline.history
    assert "nothing was changed" in result.summary()


@pytest.mark.parametrize("expert", [0, 1, 2])
def test_forcing_an_expert_gives_one_hot_routing_and_another_distribution(
    engine: Engine, baseline: Answer, expert: int
) -> None:
    result = intervene(engine, CLIP, baseline, ForceExpert(expert))
    one_hot = tuple(float(index == expert) for index in range(3))
    assert {token.routing for token in result.answer.trace.tokens} == {one_hot}
    assert abs(result.logprob_change) > 1e-4
    assert result.baseline is baseline
    # The tokens are that expert's own output, and no other's.
    adapter = engine.model.adapter
    hidden, _ = adapter.encode(engine.model.frames(CLIP.waveform)[None], torch.ones(1, 100).bool())
    expected, _ = adapter.anchor(adapter.projector.experts[expert](hidden))  # type: ignore[misc]
    torch.testing.assert_close(engine.audio_tokens_of(CLIP, result.answer).tokens, expected)


def test_uniform_routing_weighs_all_experts_equally(engine: Engine, baseline: Answer) -> None:
    result = intervene(engine, CLIP, baseline, Uniform())
    for token in result.answer.trace.tokens:
        assert token.routing == pytest.approx((1 / 3,) * 3)
    assert result.logprob_change != 0
    assert "dropped" not in result.summary()


@pytest.mark.parametrize(
    "intervention",
    [DropRedundant(), KeepRedundant(), DropRandom(3), DropSpan(0.5, 1.0)],
    ids=lambda i: i.kind,
)
def test_the_language_model_never_sees_dropped_tokens(
    engine: Engine, baseline: Answer, intervention: Intervention
) -> None:
    kept = intervention.kept(baseline.trace)
    tokens = engine.audio_tokens_of(CLIP, baseline).tokens[0]
    read, remove = read_by(engine)
    result = intervene(engine, CLIP, baseline, intervention)
    remove()
    scored, answered, rescored = read
    prompt = len(scored) - len(tokens) - len(baseline.ids)
    left = len(engine.model.prompts.build("").left)
    for seen in (answered, rescored):
        torch.testing.assert_close(seen[left : left + sum(kept)], tokens[torch.tensor(kept)])
    assert len(answered) == prompt + sum(kept)
    assert len(rescored) == len(answered) + len(baseline.ids)
    assert [not token.dropped for token in result.answer.trace.tokens] == kept
    assert result.answer.trace.tokens_dropped == kept.count(False)
    assert f"{kept.count(False)} of 25 audio tokens were dropped" in result.summary()


def test_what_is_redundant_is_read_off_the_baselines_trace(engine: Engine, baseline: Answer) -> None:
    """It was supervised by question and answer; the question alone flags other tokens."""
    after = intervene(engine, CLIP, baseline, DropRedundant()).answer
    assert [token.dropped for token in after.trace.tokens] == [t.redundant for t in baseline.trace.tokens]
    alone = engine.ask(CLIP, baseline.question, max_new_tokens=1, intervention=DropRedundant())
    first, *_ = engine.stream(CLIP, baseline.question, max_new_tokens=1)
    assert [token.dropped for token in alone.trace.tokens] == [t.redundant for t in first.trace.tokens]  # type: ignore[union-attr]
    assert alone.trace.tokens_dropped != after.trace.tokens_dropped


def test_dropped_tokens_keep_their_scores(engine: Engine, baseline: Answer) -> None:
    """Scores are scaled over the whole clip: dropping some must not rescale the rest."""
    dropped = engine.ask(CLIP, "Hm?", max_new_tokens=1, intervention=DropSpan(0, 1)).trace.tokens
    whole = engine.ask(CLIP, "Hm?", max_new_tokens=1).trace.tokens
    assert [token.predictive for token in dropped] == [token.predictive for token in whole]
    assert [token.audio_saliency for token in dropped] == [token.audio_saliency for token in whole]
    assert all(token.text_relevance >= 0 for token in dropped)


def test_a_clip_that_is_wholly_redundant_is_answered_without_audio_and_that_is_reported(
    engine: Engine, baseline: Answer
) -> None:
    result = intervene(engine, CLIP, flagged(baseline, True), DropRedundant())
    assert result.answer.trace.without_audio
    assert "without audio" in result.summary()
    other = tiny.clip(2.0, seed=5)
    without_audio = flagged(
        engine.ask(other, baseline.question, history=baseline.history, max_new_tokens=8), True
    )
    assert intervene(engine, other, without_audio, DropRedundant()).answer.text == result.answer.text
    assert not intervene(engine, CLIP, flagged(baseline, False), DropRedundant()).answer.trace.tokens_dropped


def test_the_change_is_of_the_baselines_answer_per_token(engine: Engine, baseline: Answer) -> None:
    result = intervene(engine, CLIP, baseline, DropSpan(0.0, 1.0))
    prompt = engine.model.prompts.build(baseline.question, baseline.history)
    whole = engine.audio_tokens_of(CLIP, baseline)
    losses = []
    for audio in (whole, whole.keep([[index >= 13 for index in range(25)]])):
        inputs = engine.model.assemble(audio, [prompt], [torch.tensor(baseline.ids)])
        logits = engine.model.llm(inputs_embeds=inputs["inputs_embeds"]).logits[0, -9:-1].log_softmax(-1)
        losses.append(logits[torch.arange(8), torch.tensor(baseline.ids)].mean())
    assert result.logprob_change == pytest.approx(float(losses[1] - losses[0]), abs=1e-5)


def test_answers_to_another_clip_or_under_an_intervention_are_no_baseline(
    engine: Engine, baseline: Answer
) -> None:
    with pytest.raises(RequestError, match="another clip"):
        intervene(engine, tiny.clip(2.0, seed=1), baseline, Uniform())
    with pytest.raises(RequestError, match="without an intervention"):
        intervene(engine, CLIP, replace(baseline, intervention=Uniform()), DropRedundant())
    with pytest.raises(RequestError, match="no answer to measure"):
        intervene(engine, CLIP, replace(baseline, ids=()), Uniform())
    with pytest.raises(RequestError, match="no expert 3"):
        intervene(engine, CLIP, baseline, ForceExpert(3))
    # Nothing of that keeps the engine locked.
    assert isinstance(intervene(engine, CLIP, baseline, Uniform()), InterventionResult)


def test_the_json_object_is_asks_with_the_baseline_and_the_change(engine: Engine, baseline: Answer) -> None:
    record = json.loads(
        json.dumps(intervene(engine, CLIP, baseline, ForceExpert(1)).to_json(), allow_nan=False)
    )
    assert set(record) == {*baseline.to_json(), "baseline", "logprob_change", "seconds_saved"}
    assert record["baseline"] == json.loads(json.dumps(baseline.to_json()))
    assert record["intervention"] == {"kind": "force-expert", "expert": 1}
    assert record["baseline"]["intervention"] == {"kind": "none"}
    assert "ids" not in record


def test_progress_is_reported_and_can_end_it(engine: Engine, baseline: Answer) -> None:
    told: list[tuple[str, float]] = []
    intervene(engine, CLIP, baseline, Uniform(), lambda *step: told.append(step))
    assert told[-1] == ("Answering again", 1.0)

    def give_up(message: str, share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        intervene(engine, CLIP, baseline, Uniform(), give_up)
    assert tiny.decoding_threads() == []
