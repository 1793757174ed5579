"""Attribution by occlusion: words and their tokens, and scores that are true differences."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from tests import tiny
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.interpretability.attribution import attribute, split
from usam.schema.answer import Answer
from usam.schema.interventions import DropSpan

CLIP = tiny.clip(0.8)


def answered(engine: Engine, text: str, **options: object) -> Answer:
    """An answer about the clip, with this text in the place of what the tiny model would say."""
    ids = tuple(engine.model.prompts.answer(text).tolist())
    answer = engine.ask(CLIP, "Hm?", max_new_tokens=1, **options)
    return replace(answer, text=text, ids=ids)


def test_words_begin_at_white_space_and_cover_the_answer(engine: Engine) -> None:
    words = split(engine, answered(engine, "A dog, näher."))
    assert [word.text for word in words] == ["A", "dog,", "näher."]
    # The tiny tokeniser writes bytes: ä is two of them.
    assert [(word.first, word.last) for word in words] == [(0, 1), (1, 6), (6, 14)]


def test_a_score_is_what_the_word_loses_without_the_token(engine: Engine) -> None:
    answer = answered(engine, "A dog barks")
    found = attribute(engine, CLIP, answer)
    audio = engine.audio_tokens_of(CLIP, answer)
    whole = engine.score(audio, answer, answer.ids).logprobs
    assert torch.tensor(found.scores).shape == (3, 10)
    for token in (0, 7):
        left = audio.keep([[index != token for index in range(10)]])
        change = whole - engine.score(left, answer, answer.ids).logprobs
        assert found.scores[1][token] == pytest.approx(float(change[1:5].sum()), abs=1e-5)
        assert found.scores[2][token] == pytest.approx(float(change[5:11].sum()), abs=1e-5)


def test_groups_share_their_score_and_the_last_may_be_short(engine: Engine) -> None:
    answer = answered(engine, "A dog")
    told: list[float] = []
    found = attribute(engine, CLIP, answer, group=4, progress=lambda message, share: told.append(share))
    for scores in found.scores:
        assert [len(set(scores[group])) for group in (slice(4), slice(4, 8), slice(8, 10))] == [1, 1, 1]
        assert len(set(scores)) == 3
    assert told == [0.4, 0.8, 1.0]
    audio = engine.audio_tokens_of(CLIP, answer).keep([[index < 8 for index in range(10)]])
    whole = engine.score(engine.audio_tokens_of(CLIP, answer), answer, answer.ids).logprobs
    lost = (whole - engine.score(audio, answer, answer.ids).logprobs)[:1].sum()
    assert found.scores[0][9] == pytest.approx(float(lost) / 2, abs=1e-5)


def test_tokens_that_were_dropped_have_no_part_in_the_answer(engine: Engine) -> None:
    answer = answered(engine, "A dog", intervention=DropSpan(0.0, 0.4))
    for scores in attribute(engine, CLIP, answer).scores:
        assert scores[:5] == (0,) * 5
        assert all(scores[5:])


def test_the_json_object_names_the_method(engine: Engine) -> None:
    record = json.loads(json.dumps(attribute(engine, CLIP, answered(engine, "A dog"), group=5).to_json()))
    assert record["method"] == "occlusion"
    assert [word["text"] for word in record["words"]] == ["A", "dog"]
    assert len(record["tokens"]) == len(record["words"][0]["scores"]) == 10


def test_the_table_has_the_spans_a_word_leaned_on_most(engine: Engine) -> None:
    found = attribute(engine, CLIP, answered(engine, "A dog"), group=4)
    spans = found.spans(found.scores[1])
    assert sorted(span[:2] for span in spans) == [
        pytest.approx(span) for span in ((0.0, 0.32), (0.32, 0.64), (0.64, 0.8))
    ]
    nats = [span[2] for span in spans]
    assert nats == sorted(nats, reverse=True)
    assert sum(nats) == pytest.approx(sum(found.scores[1]))
    start, end, most = spans[0]
    line = found.table().splitlines()[1]
    assert line.startswith("dog")
    assert f"{start:.2f}-{end:.2f} s {most:+.3f}" in line


def test_what_cannot_be_attributed_is_refused(engine: Engine) -> None:
    answer = answered(engine, "A dog")
    with pytest.raises(RequestError, match="at least 1"):
        attribute(engine, CLIP, answer, group=0)
    with pytest.raises(RequestError, match="another clip"):
        attribute(engine, tiny.clip(0.8, seed=3), answer)
    with pytest.raises(RequestError, match="no answer"):
        attribute(engine, CLIP, replace(answer, ids=()))


def test_others_are_answered_between_the_passes(engine: Engine) -> None:
    answer, heard = answered(engine, "A dog"), []

    def ask(message: str, share: float) -> None:
        with ThreadPoolExecutor(1) as pool:
            heard.append(pool.submit(engine.ask, CLIP, max_new_tokens=1).result(timeout=30))

    assert attribute(engine, CLIP, answer, 5, ask) == attribute(engine, CLIP, answer, 5)
    assert len(heard) == 2
