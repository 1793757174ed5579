"""Parts taken out of a trained model."""

from pathlib import Path

import pytest
import torch

from tests import tiny
from usam.engine.engine import Engine
from usam.evaluation.ablations.inference import direct_path, interventions, without_words
from usam.evaluation.answering import ask
from usam.evaluation.clips import TestSet
from usam.evaluation.questions import Question


def test_each_ablation_is_heard_and_leaves_the_model_as_it_was(attentive: Engine, clips: TestSet) -> None:
    questions = [Question(c, "What is this?", 6) for c in clips.single]
    whole = [reply.text for reply in ask(attentive, questions)]
    changes = interventions(attentive.config)
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
    change = interventions(attentive.config)["redundant tokens dropped"]
    tokens = attentive.ask(clip.audio, "What is this?", max_new_tokens=1, intervention=change).trace.tokens
    assert 0 < sum(token.dropped for token in tokens) < len(tokens)


@pytest.mark.parametrize("expert", [0, 1, 2])
def test_one_expert_alone_leads_every_token(engine: Engine, clips: TestSet, expert: int) -> None:
    change = interventions(engine.config)[f"expert {expert + 1} alone"]
    [reply] = ask(engine, [Question(clips.single[0], "What?", 2)], intervention=change)
    assert torch.equal(reply.routing, torch.eye(3)[expert].expand_as(reply.routing))


def test_without_words_a_clip_has_none_and_afterwards_it_has_them_again(tmp_path: Path) -> None:
    engine = tiny.engine(tmp_path, words=True)

    def read() -> set[str]:
        tokens = engine.ask(tiny.clip(), "What?", max_new_tokens=1).trace.tokens
        return {word.text for token in tokens for word in token.words}

    assert "dog" in read()
    with without_words(engine.model):
        assert not read()
    assert "dog" in read()


def test_what_is_redundant_is_read_where_it_is_not_and_dropped_where_it_is() -> None:
    assert "redundant tokens dropped" in interventions(tiny.adapter().config)
    assert "redundant tokens read" in interventions(tiny.adapter(words=True).config)
