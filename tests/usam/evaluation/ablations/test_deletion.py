"""SACLM's deletion test."""

import pytest
import torch

from usam.engine.engine import Engine
from usam.evaluation.ablations.deletion import SEEDS, costs_of, deletion, drawn, loudness, matched
from usam.evaluation.answering import ask
from usam.evaluation.clips import TestSet
from usam.evaluation.questions import Question
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
    assert costs.matched != pytest.approx(costs.random, abs=1e-6)
    by_place = [redundant[0, at::4] for at in range(4)]
    assert costs.places == tuple((int(flags.sum()), len(flags)) for flags in by_place)


def test_clips_with_nothing_or_everything_redundant_are_left_out(engine: Engine, clips: TestSet) -> None:
    questions = [Question(clip, "What?") for clip in clips.single[:2]]
    for threshold, share_redundant in ((-1.0, 0), (2.0, 1)):
        engine.model.adapter.saclm.threshold = threshold
        found = deletion(engine, questions, ask(engine, questions))
        assert found["question"] == {"redundant_share": share_redundant, "by_place": [share_redundant] * 4}


def test_random_tokens_are_as_many_and_differ_by_seed() -> None:
    drawings = [drawn(40, 13, seed) for seed in range(SEEDS)]
    assert {int(drawing.sum()) for drawing in drawings} == {13}
    assert len({tuple(drawing.tolist()) for drawing in drawings}) == SEEDS


def test_matched_tokens_are_as_many_of_each_class_as_are_redundant() -> None:
    classes = torch.arange(48) % 6
    redundant = (torch.arange(48) < 20) | (classes == 5)
    drawings = [matched(redundant, classes, seed) for seed in range(SEEDS)]
    for drawing in drawings:
        for one in range(6):
            assert int(drawing[classes == one].sum()) == int(redundant[classes == one].sum())
        assert drawing[classes == 5].all()
    assert len({tuple(drawing.tolist()) for drawing in drawings}) == SEEDS


def test_loudness_classes_are_quarters_of_the_tokens() -> None:
    waveform = torch.cat([torch.full((1280,), level) for level in (0.5, 0.1, 0.9, 0.0, 0.2, 0.8, 0.6, 0.3)])
    assert loudness(waveform[:-600], 8, 0.08).tolist() == [2, 0, 3, 0, 1, 3, 2, 1]
