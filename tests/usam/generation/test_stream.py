"""SamplingParams: streamed pieces, seeds, stopping, failures, and threads that never outlive their reader."""

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from tests import tiny
from usam.adapter.tokens import AudioTokens
from usam.errors import NumericalError, RequestError
from usam.generation.fair_lock import FairLock
from usam.generation.sampling import MAX_NEW_TOKENS, MIN_TEMPERATURE, SamplingParams
from usam.generation.stream import TextStream
from usam.llm.prompts import Prompt
from usam.model.model import USAM


@pytest.fixture
def prompt(model: USAM) -> Prompt:
    return model.prompts.build("What is this?")


@pytest.fixture
def audio(model: USAM, prompt: Prompt) -> AudioTokens:
    frames = model.frames(tiny.clip(0.5).waveform)
    return model.embed_audio(frames[None], torch.ones(1, len(frames)).bool(), [prompt.question])


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Any:
    yield
    deadline = time.monotonic() + 5
    while tiny.decoding_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not tiny.decoding_threads()


def answer(model: USAM, audio: AudioTokens, prompt: Prompt, **decoding: Any) -> TextStream:
    stream = TextStream(model, audio, prompt, SamplingParams(**decoding))
    for _ in stream:
        pass
    return stream


def test_the_pieces_are_the_text(model: USAM, audio: AudioTokens, prompt: Prompt) -> None:
    stream = TextStream(model, audio, prompt, SamplingParams(max_new_tokens=40))
    pieces = list(stream)
    assert len(stream.ids) == 40
    assert "".join(pieces).strip() == stream.text()
    assert not stream.complete
    assert 0 < stream.first_token_at <= stream.finished_at


def test_an_answer_the_model_ended_is_complete(model: USAM, audio: AudioTokens, prompt: Prompt) -> None:
    tiny.end_after(model, 5)
    stream = answer(model, audio, prompt, max_new_tokens=40)
    assert len(stream.ids) == 5
    assert stream.complete
    assert "<|im_end|>" not in stream.text()


def test_greedy_ignores_the_seed(model: USAM, audio: AudioTokens, prompt: Prompt) -> None:
    one, other = (answer(model, audio, prompt, seed=seed, max_new_tokens=20) for seed in (1, 2))
    assert torch.equal(one.ids, other.ids)


def test_sampling_is_repeatable_by_its_seed(model: USAM, audio: AudioTokens, prompt: Prompt) -> None:
    options = {"temperature": 1.5, "max_new_tokens": 20}
    first = answer(model, audio, prompt, seed=1, **options)
    torch.rand(7)  # whatever else draws numbers in between
    again = answer(model, audio, prompt, seed=1, **options)
    other = answer(model, audio, prompt, seed=2, **options)
    assert torch.equal(first.ids, again.ids)
    assert not torch.equal(first.ids, other.ids)


@pytest.mark.parametrize("sharpness", [0.1, 8])
@pytest.mark.parametrize("end", [None, 2, 6])
def test_beams_find_what_transformers_finds(
    model: USAM, audio: AudioTokens, prompt: Prompt, end: int | None, sharpness: float
) -> None:
    """With likely ends (every few tokens) and without any, so that the longest length ends the search; where
    a few tokens are likely, and where most of the probability is on tokens that are no candidates."""
    likely = torch.zeros(model.llm.config.vocab_size)
    likely[model.prompts.end_id] = -1e4 if end is None else end
    model.llm.lm_head.register_forward_hook(lambda module, inputs, logits: logits * sharpness + likely)
    expected = model.respond(audio, [prompt], max_new_tokens=12, num_beams=4, do_sample=False)[0].tolist()
    found = answer(model, audio, prompt, max_new_tokens=12, beams=4).ids.tolist()
    ends = [*expected, model.prompts.end_id].index(model.prompts.end_id)
    assert found == expected[: ends + 1]
    if end is None and sharpness < 1:
        assert found != answer(model, audio, prompt, max_new_tokens=12).ids.tolist(), "greedy finds it too"


def test_beams_show_what_is_settled_while_they_search(
    model: USAM, audio: AudioTokens, prompt: Prompt
) -> None:
    tiny.say(model, "the same words again and again ")
    steps: list[int] = []
    tiny.after_each_token(model, lambda step, logits: steps.append(step))
    stream = TextStream(model, audio, prompt, SamplingParams(max_new_tokens=30, beams=3))
    seen = [len(steps) for _ in stream]
    assert len(seen) > 1
    assert seen[0] < len(steps), "the first words are shown before the search has ended"


def test_a_temperature_draws_from_the_whole_vocabulary(
    model: USAM, audio: AudioTokens, prompt: Prompt
) -> None:
    """Where all tokens are alike, no more than a quarter of the draws can be among 64 of 288."""
    model.llm.lm_head.register_forward_hook(lambda module, inputs, logits: logits * 0)
    drawn = set(answer(model, audio, prompt, max_new_tokens=512, temperature=1.0).ids.tolist())
    assert len(drawn) > 100


def test_stop_ends_at_the_next_token(model: USAM, audio: AudioTokens, prompt: Prompt) -> None:
    stop = threading.Event()
    tiny.after_each_token(model, lambda step, logits: stop.set() if step == 4 else None)
    stream = TextStream(model, audio, prompt, SamplingParams(max_new_tokens=100), stop)
    list(stream)
    assert len(stream.ids) == 4
    assert not stream.complete


def test_a_finished_answer_does_not_set_the_callers_stop(
    model: USAM, audio: AudioTokens, prompt: Prompt
) -> None:
    stop = threading.Event()
    list(TextStream(model, audio, prompt, SamplingParams(max_new_tokens=3), stop))
    assert not stop.is_set()


def test_closing_early_leaves_no_thread_running(model: USAM, audio: AudioTokens, prompt: Prompt) -> None:
    tiny.say(model, "on and on ")
    tiny.after_each_token(model, lambda step, logits: time.sleep(0.005))
    pieces = iter(TextStream(model, audio, prompt, SamplingParams(max_new_tokens=MAX_NEW_TOKENS)))
    next(pieces)
    assert tiny.decoding_threads()
    pieces.close()  # type: ignore[attr-defined]
    assert not tiny.decoding_threads()


def test_an_error_while_decoding_reaches_the_reader(model: USAM, audio: AudioTokens, prompt: Prompt) -> None:
    def fail(step: int, logits: torch.Tensor) -> None:
        if step == 3:
            raise MemoryError("no memory left")

    tiny.after_each_token(model, fail)
    stream = TextStream(model, audio, prompt, SamplingParams(max_new_tokens=10))
    with pytest.raises(MemoryError, match="no memory left"):
        list(stream)
    assert not stream.lock.locked()


def test_a_reader_who_stops_while_waiting_gets_away(model: USAM, audio: AudioTokens, prompt: Prompt) -> None:
    lock, stop = FairLock(), threading.Event()
    stream = TextStream(model, audio, prompt, SamplingParams(max_new_tokens=10), stop, lock)
    with lock:
        reader = ThreadPoolExecutor(1).submit(list, stream)
        while not tiny.decoding_threads():
            time.sleep(0.001)
        stop.set()
    assert reader.result(timeout=5) == []
    assert len(stream.ids) == 0
    assert not stream.complete


def test_decoding_on_one_core_leaves_other_threads_theirs(
    model: USAM, audio: AudioTokens, prompt: Prompt
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen: list[int] = []
        tiny.after_each_token(model, lambda step, logits: seen.append(torch.get_num_threads()))
        answer(model, audio, prompt, max_new_tokens=4)
        assert seen == [2, 1, 1, 1], "the prompt is read by all cores, tokens are written by one"
        assert torch.get_num_threads() == 2
        assert ThreadPoolExecutor(1).submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(before)


def test_options_out_of_range_are_refused() -> None:
    for wrong in (
        {"max_new_tokens": 0}, {"max_new_tokens": MAX_NEW_TOKENS + 1}, {"temperature": -0.1},
        {"temperature": 1e-300}, {"temperature": math.nan}, {"temperature": math.inf}, {"seed": 10**40},
        {"seed": -(10**40)}, {"seed": 0.5},
    ):  # fmt: skip
        with pytest.raises(RequestError):
            SamplingParams(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{}, {"temperature": MIN_TEMPERATURE}, {"beams": 3}])
@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_numbers_that_are_none_are_an_error_however_tokens_are_chosen(
    model: USAM, audio: AudioTokens, prompt: Prompt, options: dict[str, Any], broken: float
) -> None:
    model.llm.lm_head.weight.data[:] = broken
    with pytest.raises(NumericalError):
        answer(model, audio, prompt, **options)


def test_the_smallest_temperature_still_draws(model: USAM, audio: AudioTokens, prompt: Prompt) -> None:
    greedy = answer(model, audio, prompt, max_new_tokens=10)
    coldest = answer(model, audio, prompt, max_new_tokens=10, temperature=MIN_TEMPERATURE)
    assert torch.equal(coldest.ids, greedy.ids)


def test_several_answers_at_once_equal_those_one_by_one(model: USAM) -> None:
    """Shorter rows are padded on the left, where decoding does not see it."""
    prompts = [model.prompts.build("Hi"), model.prompts.build("What instrument is playing here?")]
    clips = [model.frames(tiny.clip(seconds, seed=7).waveform) for seconds in (0.3, 0.9)]
    mask = torch.arange(len(clips[1])) < torch.tensor([[len(clip)] for clip in clips])
    frames = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
    # One window a clip's length apart would meet in the convolution; tokens are compared in test_qformer.
    model.adapter.qformer.layers[0].conv = model.adapter.qformer.layers[1].conv = None
    together = model.respond(
        model.embed_audio(frames, mask, [p.question for p in prompts]),
        prompts,
        max_new_tokens=8,
        do_sample=False,
    )
    for row, (clip, prompt) in enumerate(zip(clips, prompts, strict=True)):
        alone = model.embed_audio(clip[None], torch.ones(1, len(clip)).bool(), [prompt.question])
        ids = model.respond(alone, [prompt], max_new_tokens=8, do_sample=False)
        assert torch.equal(together[row], ids[0])
