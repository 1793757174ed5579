"""Parts taken out of a trained model."""

import pytest
import torch

from usam.engine.engine import Engine
from usam.evaluation.ablations.inference import direct_path, interventions
from usam.evaluation.answering import ask
from usam.evaluation.clips import TestSet
from usam.evaluation.questions import Question


def test_each_ablation_is_heard_and_leaves_the_model_as_it_was(attentive: Engine, clips: TestSet) -> None:
    questions = [Question(c, "What is this?", 6) for c in clips.single]
    whole = [reply.text for reply in ask(attentive, questions)]
    changes = interventions(attentive.config.expert_names)
    assert len(changes) == 5
    for name, intervention in changes.items():
        if name != "redundant tokens dropped":
            texts = [reply.text for reply in ask(attentive, questions, intervention=intervention)]
            assert texts != whole, name
    with direct_path(attentive.model):
        assert [reply.text for reply in ask(attentive, questions)] != whole
    assert [reply.text for reply in ask(attentive, questions)] == whole


def test_redundant_tokens_are_dropped_by_what_the_question_says_of_them(
    attentive: Engine, clips: TestSet
) -> None:
    clip = clips.single[3]
    before = attentive.ask(clip.audio, "What is this?", max_new_tokens=1).trace.tokens
    attentive.model.adapter.saclm.threshold = float(torch.tensor([t.significance for t in before]).median())
    change = interventions(attentive.config.expert_names)["redundant tokens dropped"]
    tokens = attentive.ask(clip.audio, "What is this?", max_new_tokens=1, intervention=change).trace.tokens
    assert 0 < sum(token.dropped for token in tokens) < len(tokens)


@pytest.mark.parametrize("expert", [0, 1, 2])
def test_one_expert_alone_leads_every_token(engine: Engine, clips: TestSet, expert: int) -> None:
    change = interventions(engine.config.expert_names)[f"expert {expert + 1} alone"]
    [reply] = ask(engine, [Question(clips.single[0], "What?", 2)], intervention=change)
    assert torch.equal(reply.routing, torch.eye(3)[expert].expand_as(reply.routing))
