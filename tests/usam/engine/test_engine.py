"""The engine: what an answer leaves behind, its times, and sharing one engine between threads."""

import json
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import tiny
from usam.audio.clip import Clip
from usam.checkpoints.fingerprint import fingerprint
from usam.engine.engine import CACHED_CLIPS, Engine
from usam.engine.tracing import trace_tokens
from usam.errors import NumericalError, RequestError, UsamError, WeightsError
from usam.schema.answer import Answer, Turn
from usam.schema.events import Encoded, TextDelta
from usam.schema.tasks import TASKS

KEYS = {
    "answer", "task", "question", "heard", "experts", "tokens", "supervised_by", "timings", "model", "prompt",
    "seed", "temperature", "max_new_tokens", "stopped", "history", "threshold", "intervention",
    "pruned", "finish",
}  # fmt: skip
TOKEN_KEYS = {
    "start", "end", "window", "routing", "significance", "predictive", "text_relevance", "audio_saliency",
    "redundant", "word", "dropped", "words",
}  # fmt: skip
TIMINGS = {"load_s", "decode_s", "encode_s", "first_token_s", "tokens_per_s", "answer_tokens"}
MODEL = {"preset", "fingerprint", "quantization", "device", "parameters", "memory_mb", "reason", "llm"}


@pytest.mark.parametrize("task", TASKS)
def test_the_answer_keeps_the_json_contract(engine: Engine, task: str) -> None:
    answer = engine.ask(tiny.clip(1.3), task=task, max_new_tokens=6, history=[Turn("a", "b")])
    record = json.loads(json.dumps(answer.to_json(), allow_nan=False))
    assert set(record) == KEYS
    assert record["question"] == TASKS[task].prompt
    assert set(record["heard"]) == {"start", "end", "duration", "sha256", "gain_db", "tracks"}
    assert set(record["timings"]) == TIMINGS
    assert set(record["model"]) == MODEL
    assert record["history"] == [{"question": "a", "answer": "b"}]
    assert record["experts"] == ["expert 1", "expert 2", "expert 3"]
    assert len(record["tokens"]) == math.ceil(1.3 * 50 / 4)
    for token in record["tokens"]:
        assert set(token) == TOKEN_KEYS
        assert sum(token["routing"]) == pytest.approx(1, abs=1e-5)
        assert len(token["routing"]) == 3
        assert all(0 <= token[score] <= 1 for score in ("significance", "predictive", "text_relevance"))
        assert token["redundant"] == (token["significance"] <= record["threshold"])


def test_significance_is_there_before_the_answer_and_again_after_it(engine: Engine) -> None:
    events = list(engine.stream(tiny.clip(2.0), "What is this?", max_new_tokens=10))
    first, *pieces, last = events
    assert isinstance(first, Encoded)
    assert first.trace.supervised_by == "question"
    assert isinstance(last, Answer)
    assert last.trace.supervised_by == "question+answer"
    assert all(isinstance(piece, TextDelta) for piece in pieces)
    assert "".join(piece.text for piece in pieces).strip() == last.text  # type: ignore[union-attr]
    before, after = first.trace.tokens, last.trace.tokens
    assert [token.routing for token in before] == [token.routing for token in after]
    assert [token.predictive for token in before] == [token.predictive for token in after]
    assert [token.text_relevance for token in before] != [token.text_relevance for token in after]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=st.integers(1_600, 480_000), start=st.floats(0, 7200))
def test_token_times_cover_the_heard_span_without_gap_or_overlap(
    engine: Engine, samples: int, start: float
) -> None:
    heard = tiny.clip(samples / 16_000, start=start)
    question = engine.model.prompts.ids("?")
    audio = engine.encode(heard, "?")
    tokens = trace_tokens(engine.model, heard, audio, torch.tensor(question)).tokens
    assert tokens[0].start == heard.start
    assert tokens[-1].end == heard.end
    assert all(one.end == other.start for one, other in pairwise(tokens))
    assert all(0 < token.end - token.start <= 0.08 + 1e-6 for token in tokens)
    assert [token.window for token in tokens] == [index // 4 for index in range(len(tokens))]


def test_a_span_of_a_clip_is_used_and_reported(engine: Engine) -> None:
    sound = (16_000, np.random.default_rng(0).integers(-9000, 9000, 48_000).astype(np.int16))
    answer = engine.ask(sound, start=1.0, end=2.5, max_new_tokens=2)
    assert (answer.heard.start, answer.heard.end, answer.heard.duration) == (1.0, 2.5, 3.0)
    assert answer.trace.tokens[0].start == 1.0
    assert answer.trace.tokens[-1].end == 2.5


def test_an_answer_out_of_tokens_is_marked_stopped(engine: Engine) -> None:
    answer = engine.ask(tiny.clip(0.5), max_new_tokens=4)
    assert answer.stopped
    assert answer.timings.answer_tokens == 4
    tiny.end_after(engine.model, 4)
    ended = engine.ask(tiny.clip(0.5), max_new_tokens=40)
    assert (ended.stopped, ended.finish, ended.cut_short) == (False, "end", "")


@pytest.mark.parametrize("task", ["qa", "asr"])  # greedy, and a search
def test_an_answer_that_repeats_itself_is_cut_and_says_so(engine: Engine, task: str) -> None:
    tiny.say(engine.model, "yes ")
    *events, answer = engine.stream(tiny.clip(20.0), task=task, max_new_tokens=100)
    assert isinstance(answer, Answer)
    assert (answer.text, answer.finish, answer.stopped) == ("yes yes", "repetition", True)
    assert "repeat" in answer.cut_short
    assert "".join(event.text for event in events if isinstance(event, TextDelta)).strip() == answer.text


@pytest.mark.parametrize(("task", "tokens"), [("asr", 40), ("s2tt", 40), ("qa", 100)])
def test_a_transcript_is_no_longer_than_its_clip_allows(engine: Engine, task: str, tokens: int) -> None:
    tiny.say(engine.model, "".join(f"{number:x}g" for number in range(16, 90)))
    answer = engine.ask(tiny.clip(1.0), task=task, max_new_tokens=100)
    assert answer.timings.answer_tokens == tokens
    assert (answer.finish, answer.max_new_tokens) == ("length", 100)


def test_stop_ends_the_answer_early(engine: Engine) -> None:
    stop = threading.Event()
    tiny.say(engine.model, "on and on and never the end of it ")
    for event in engine.stream(tiny.clip(0.5), max_new_tokens=300, stop=stop):
        if isinstance(event, TextDelta):
            stop.set()
    assert isinstance(event, Answer)
    assert event.stopped
    assert event.finish == "stop"
    assert event.timings.answer_tokens < 300


def test_history_reaches_the_prompt(engine: Engine) -> None:
    answer = engine.ask(
        tiny.clip(0.5), "And then?", history=[Turn("Who speaks?", "A man.")], max_new_tokens=2
    )
    assert answer.prompt.index("<audio>") < answer.prompt.index("Who speaks?") < answer.prompt.index("A man.")
    assert answer.history == (Turn("Who speaks?", "A man."),)


def test_threads_get_the_answers_they_would_get_alone(engine: Engine) -> None:
    requests = [
        {
            "audio": tiny.clip(0.4 + 0.3 * seed, seed),
            "question": f"Question {seed}?",
            "temperature": 1.0,
            "seed": seed,
        }
        for seed in range(4)
    ]
    alone = [engine.ask(**request, max_new_tokens=12) for request in requests]  # type: ignore[arg-type]
    fresh = tiny.engine(engine.checkpoint)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda request: fresh.ask(**request, max_new_tokens=12), requests))
    assert [answer.text for answer in together] == [answer.text for answer in alone]
    assert [answer.trace for answer in together] == [answer.trace for answer in alone]


def test_a_client_that_stops_reading_blocks_nobody(engine: Engine) -> None:
    tiny.say(engine.model, "on and on ")
    abandoned = engine.stream(tiny.clip(0.5), max_new_tokens=200)
    assert isinstance(next(abandoned), Encoded)
    assert isinstance(next(abandoned), TextDelta)  # and never again
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(engine.ask, tiny.clip(0.5), max_new_tokens=9).result(timeout=60)
    assert len(answer.ids) == 9


def test_closing_the_stream_frees_the_engine_at_once(engine: Engine) -> None:
    steps: list[int] = []
    tiny.say(engine.model, "on and on ")
    tiny.after_each_token(engine.model, lambda step, logits: steps.append(step))
    stream = engine.stream(tiny.clip(0.5), max_new_tokens=500)
    next(stream)
    next(stream)
    assert tiny.decoding_threads()
    stream.close()  # type: ignore[attr-defined]
    assert not tiny.decoding_threads()
    assert steps[-1] < 500


def test_an_error_while_decoding_reaches_the_caller_and_the_engine_lives_on(engine: Engine) -> None:
    expected = engine.ask(tiny.clip(0.5), max_new_tokens=2)
    assert len(expected.ids) == 2

    def fail(step: int, logits: object) -> None:
        raise MemoryError("no memory left")

    remove = tiny.after_each_token(engine.model, fail)
    with pytest.raises(MemoryError, match="no memory left"):
        engine.ask(tiny.clip(0.5))
    remove()
    assert engine.ask(tiny.clip(0.5), max_new_tokens=2).ids == expected.ids


def test_a_clip_is_encoded_once_for_many_questions(engine: Engine) -> None:
    speech = next(iter(engine.model.encoders))
    for question in ("Who?", "What?"):
        engine.ask(tiny.clip(0.5), question, max_new_tokens=1)
    assert speech.calls == 1
    for seed in range(1, CACHED_CLIPS + 1):
        engine.ask(tiny.clip(0.2, seed), max_new_tokens=1)
    assert speech.calls == 1 + CACHED_CLIPS
    engine.ask(tiny.clip(0.5), max_new_tokens=1)
    assert speech.calls == 2 + CACHED_CLIPS


def test_wrong_requests_are_refused_before_anything_is_computed(engine: Engine) -> None:
    speech = next(iter(engine.model.encoders))
    for options in ({"task": "sing"}, {"question": "x" * 501}, {"temperature": 3.0}, {"max_new_tokens": 0}):
        with pytest.raises(RequestError):
            engine.ask(tiny.clip(0.5), **options)  # type: ignore[arg-type]
    assert speech.calls == 0


def test_a_conversation_too_long_for_the_language_model_is_refused(engine: Engine) -> None:
    with pytest.raises(RequestError, match="too long"):
        engine.ask(tiny.clip(0.5), history=[Turn("q" * 500, "a" * 2000)])


def test_a_missing_checkpoint_is_reported_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no checkpoint folder"):
        Engine.load(checkpoint=tmp_path / "nowhere")
    with pytest.raises(WeightsError, match=r"config\.json is missing"):
        Engine.load(checkpoint=tmp_path)


def test_a_checkpoint_that_does_not_fit_its_config_is_refused(tmp_path: Path) -> None:
    tiny.adapter().save_pretrained(tmp_path)
    tiny.config(num_layers=3).save_pretrained(tmp_path)
    with pytest.raises(UsamError, match="does not fit"):
        Engine.load(checkpoint=tmp_path)


def test_the_fingerprint_tells_checkpoints_apart(tmp_path: Path) -> None:
    adapter = tiny.adapter()
    adapter.save_pretrained(tmp_path / "a")
    adapter.save_pretrained(tmp_path / "b")
    adapter.saclm.slots.weight.data += 1
    adapter.save_pretrained(tmp_path / "c")
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b") != fingerprint(tmp_path / "c")


def test_memory_and_size_are_of_the_whole_model(engine: Engine) -> None:
    sizes = {parameter.data_ptr(): parameter.numel() for parameter in engine.model.parameters()}
    assert engine.model_info.parameters == sum(sizes.values())
    assert engine.model_info.device == "cpu"
    assert "bfloat16" in engine.model_info.reason


def test_a_clip_may_be_handed_over_ready(engine: Engine) -> None:
    clip = tiny.clip(0.5, start=3.0)
    assert isinstance(clip, Clip)
    answer = engine.ask(clip, max_new_tokens=1)
    assert answer.heard.sha256 == clip.sha256
    assert answer.heard.start == 3.0


def layers_whose_damage_is_no_number(engine: Engine) -> dict[str, torch.nn.Parameter]:
    model = engine.model
    return {
        "language model": model.llm.model.layers[0].mlp.down_proj.weight,
        "audio encoder or adapter": next(model.adapter.qformer.parameters()),
    }


@pytest.mark.parametrize("part", ["language model", "audio encoder or adapter"])
def test_damaged_weights_give_an_error_and_no_answer(engine: Engine, part: str) -> None:
    with torch.no_grad():
        layers_whose_damage_is_no_number(engine)[part].fill_(math.nan)
    with pytest.raises(NumericalError, match=part):
        engine.ask(tiny.clip(1.0), "What is this?", max_new_tokens=5)


def test_a_score_that_is_no_number_is_an_error(engine: Engine) -> None:
    clip = tiny.clip(1.0)
    answer = engine.ask(clip, "What is this?", max_new_tokens=5)
    audio = engine.audio_tokens_of(clip, answer)
    with torch.no_grad():
        engine.model.llm.lm_head.weight.fill_(math.nan)
    with pytest.raises(NumericalError):
        engine.score(audio, answer, answer.ids)


@pytest.mark.parametrize("question", ["\ud83d", "what\udc00?"])
def test_half_of_a_character_is_no_question(engine: Engine, question: str) -> None:
    with pytest.raises(RequestError, match="an incomplete character"):
        engine.ask(tiny.clip(1.0), question)
