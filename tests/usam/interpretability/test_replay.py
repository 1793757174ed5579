"""Recorded answers: read back from their JSON, and run again."""

import json
from dataclasses import replace

import pytest

from tests import tiny
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.interpretability.replay import replay
from usam.schema.answer import Answer, Turn
from usam.schema.interventions import DropRandom, DropSpan, ForceExpert, Intervention, Uniform

CLIP = tiny.clip(2.0)


def recorded(engine: Engine, **options: object) -> Answer:
    """An answer as it comes back from where it was kept."""
    asked = {"max_new_tokens": 8, "history": [Turn("Who?", "A dog.")], **options}
    answer = engine.ask(CLIP, "What is this?", **asked)
    return Answer.from_json(json.loads(json.dumps(answer.to_json())))


@pytest.mark.parametrize(
    "intervention",
    [Intervention(), ForceExpert(1), Uniform(), DropRandom(3), DropSpan(0.5, 1.0)],
    ids=lambda i: i.kind,
)
def test_an_answer_comes_back_from_its_json_but_for_its_ids(
    engine: Engine, intervention: Intervention
) -> None:
    answer = engine.ask(CLIP, max_new_tokens=4, seed=3, intervention=intervention, history=[Turn("a", "b")])
    record = {**json.loads(json.dumps(answer.to_json())), "answer_id": "1", "created_at": "today"}
    record["tokens"][0]["of_a_later_version"] = 1
    assert Answer.from_json(record) == replace(answer, ids=())


def test_a_record_without_its_parts_is_refused(engine: Engine) -> None:
    record = recorded(engine).to_json()
    for name in ("tokens", "heard", "question", "model"):
        with pytest.raises(KeyError, match=name):
            Answer.from_json({key: value for key, value in record.items() if key != name})
    with pytest.raises(KeyError, match="unknown"):
        Answer.from_json({**record, "intervention": {"kind": "unknown"}})


def test_another_threshold_flags_the_same_scores_again(engine: Engine) -> None:
    trace = recorded(engine).trace
    scores = sorted(token.significance for token in trace.tokens)
    again = trace.flagged(scores[4])
    assert sum(token.redundant for token in again.tokens) == 5
    assert [token.significance for token in again.tokens] == [token.significance for token in trace.tokens]
    assert again.flagged(trace.threshold) == trace


def test_a_replay_on_the_same_model_matches(engine: Engine) -> None:
    told: list[float] = []
    answer = recorded(engine, seed=5, temperature=0.9)
    result = replay(engine, CLIP, answer, lambda message, share: told.append(share))
    assert result.same_answer
    assert result.routing_moved == 0.0
    assert result.verdict() == (
        "The answer is the same, word for word. "
        "The routing is the same: no weight differs by more than 0.001."
    )
    assert result.answer.history == answer.history
    assert result.answer.ids
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_replay_on_another_model_tells_what_changed(engine: Engine) -> None:
    answer = recorded(engine)
    first, *rest = answer.trace.tokens
    changed = replace(first, routing=(first.routing[0] + 0.25, *first.routing[1:]))
    answer = replace(
        answer,
        text="something else",
        trace=replace(answer.trace, tokens=(changed, *rest)),
        model=replace(answer.model, quantization="int8"),
    )
    said = replay(engine, CLIP, answer).verdict()
    for words in ("The answer is different", "differs by 0.250", "quantization int8, now none"):
        assert words in said
    shorter = replace(answer, trace=replace(answer.trace, tokens=tuple(rest)))
    assert "cannot be compared" in replay(engine, CLIP, shorter).verdict()


def test_an_answer_that_was_stopped_is_asked_for_as_many_tokens(engine: Engine) -> None:
    stopped = replace(recorded(engine, max_new_tokens=5), max_new_tokens=100)
    assert stopped.stopped
    assert replay(engine, CLIP, stopped).same_answer


def test_what_was_done_to_the_tokens_is_done_again(engine: Engine) -> None:
    answer = recorded(engine, intervention=ForceExpert(2))
    result = replay(engine, CLIP, answer)
    assert result.answer.intervention == ForceExpert(2)
    assert result.same_answer
    assert result.same_routing


def test_a_replay_on_another_clip_is_refused(engine: Engine) -> None:
    with pytest.raises(RequestError, match="another clip"):
        replay(engine, tiny.clip(2.0, seed=4), recorded(engine))


def test_a_progress_callback_can_cancel(engine: Engine) -> None:
    def give_up(message: str, share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        replay(engine, CLIP, recorded(engine), give_up)
    assert tiny.decoding_threads() == []
    assert replay(engine, CLIP, recorded(engine)).same_answer
