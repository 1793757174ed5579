"""Questions are asked of the engine as the app asks them."""

import pytest
import torch

from tests import tiny
from usam.engine.engine import Engine
from usam.evaluation.answering import ask, by_clip
from usam.evaluation.clips import TestClip, TestSet
from usam.evaluation.questions import Question
from usam.schema.interventions import ForceExpert


def questions(clips: list[TestClip]) -> list[Question]:
    """Greedy ones and searched ones, of several lengths."""
    texts = ("What is this?", "Is someone speaking in this clip?")
    return [
        Question(clip, texts[index % 2], 5 + index % 3, task=("qa", "asr")[index % 2])
        for index, clip in enumerate(clips)
    ]


def test_answers_are_those_of_the_app_in_the_order_asked(attentive: Engine, clips: TestSet) -> None:
    asked = questions([*clips.single, *clips.mixed])
    replies = ask(attentive, asked)
    answers = [
        attentive.ask((16_000, q.clip.waveform.numpy()), q.text, task=q.task, max_new_tokens=q.max_new_tokens)
        for q in asked
    ]
    assert [reply.text for reply in replies] == [answer.text for answer in answers]
    assert [tuple(reply.ids.tolist()) for reply in replies] == [answer.ids for answer in answers]
    assert len({reply.text for reply in replies}) > 3  # they do depend on the clip
    for reply, answer in zip(replies, answers, strict=True):
        assert reply.routing.tolist() == [pytest.approx(token.routing) for token in answer.trace.tokens]


def test_the_decoder_that_ships_writes_them_not_transformers(
    attentive: Engine, clips: TestSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two part where words are as good as equally likely: figures have to be those of the app."""

    def generate(*arguments: object, **options: object) -> None:
        raise AssertionError("transformers' generate was called")

    monkeypatch.setattr(attentive.model.llm, "generate", generate)
    assert all(len(reply.ids) for reply in ask(attentive, questions(list(clips.single[:3]))))


def test_an_answer_ends_at_its_end_mark(engine: Engine, clips: TestSet) -> None:
    remove = tiny.end_after(engine.model, 3)
    [reply] = ask(engine, [Question(clips.single[0], "What?", 9)])
    remove()
    assert len(reply.ids) == 3
    assert reply.ids[-1] == engine.model.prompts.end_id


def test_questions_about_one_clip_follow_one_another(clips: TestSet) -> None:
    asked = [Question(c, text) for text in ("a", "b") for c in clips.single]
    order = by_clip(asked)
    assert sorted(order) == list(range(len(asked)))
    met = [asked[index].clip.name for index in order]
    assert met[::2] == met[1::2] == [c.name for c in clips.single]


def test_a_clip_is_encoded_once_however_many_come_between(engine: Engine, clips: TestSet) -> None:
    ask(engine, [Question(c, text, 1) for text in ("a", "b") for c in clips.single])
    assert len(clips.single) > 8  # more than the engine keeps
    assert engine.model.encoders[0].calls == len(clips.single)


def test_an_intervention_changes_what_the_language_model_reads(attentive: Engine, clips: TestSet) -> None:
    asked = questions(list(clips.single))
    replies = ask(attentive, asked, intervention=ForceExpert(1))
    assert all(torch.equal(r.routing, torch.eye(3)[1].expand_as(r.routing)) for r in replies)
    assert [r.text for r in replies] != [r.text for r in ask(attentive, asked)]
