"""SACLM's deletion test."""

import pytest
import torch

from usam.engine.engine import Engine
from usam.evaluation.ablations.deletion import SEEDS, costs_of, deletion, drawn
from usam.evaluation.answering import ask
from usam.evaluation.clips import TestSet
from usam.evaluation.questions import (
    Question,
)
from usam.schema.trace import Supervision


@pytest.mark.parametrize("supervision", ["question", "question+answer"])
def test_deletion_costs_are_differences_of_the_answers_loss(
    attentive: Engine, clips: TestSet, supervision: Supervision
) -> None:
    model, clip = attentive.model, clips.single[3].audio
    answer = model.prompts.answer("a dog")
    prompt = model.prompts.build("What?")
    audio = attentive.encode(clip, "What?")
    read = {"question": prompt.question, "question+answer": torch.cat([prompt.question, answer])}
    totals = model.significance(audio, [read[supervision]]).total
    model.adapter.saclm.threshold = float(totals.median())
    redundant = totals <= model.adapter.saclm.threshold
    whole, without = (
        float(model.answer_loss(model.assemble(given, [prompt], [answer])))
        for given in (audio, audio.keep(~redundant))
    )
    costs = costs_of(attentive, clip, "What?", answer, supervision)
    assert costs.share == pytest.approx(float(redundant.float().mean()))
    assert costs.redundant == pytest.approx(without - whole, abs=1e-4)
    assert costs.random != pytest.approx(costs.redundant, abs=1e-4)


def test_clips_with_nothing_or_everything_redundant_are_left_out(engine: Engine, clips: TestSet) -> None:
    questions = [Question(clip, "What?") for clip in clips.single[:2]]
    for threshold, share_redundant in ((-1.0, 0), (2.0, 1)):
        engine.model.adapter.saclm.threshold = threshold
        found = deletion(engine, questions, ask(engine, questions))
        assert found["question"] == {"redundant_share": share_redundant}


def test_random_tokens_are_as_many_and_differ_by_seed() -> None:
    drawings = [drawn(40, 13, seed) for seed in range(SEEDS)]
    assert {int(drawing.sum()) for drawing in drawings} == {13}
    assert len({tuple(drawing.tolist()) for drawing in drawings}) == SEEDS
