"""The seam to ZeroGPU, with a stand-in for `spaces.GPU` that forks and pickles as the real one does."""

import multiprocessing
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES
from ui.engines import zerogpu
from ui.engines.pool import load_other
from ui.engines.zerogpu import LendingEngine, lends_gpu
from usam.audio.clip import Clip, load_clip
from usam.errors import RequestError
from usam.schema.answer import Answer
from usam.schema.events import Encoded, TextDelta

FORK = multiprocessing.get_context("fork")


def lend(duration: int) -> Callable[[Any], Any]:
    """Like `spaces.GPU`: each call in a fork, arguments and results pickled, the end of reading told."""
    assert duration > 0

    def decorate(task: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def call(*arguments: Any) -> Iterator[Any]:
            sent, results, left = pickle.dumps(arguments), FORK.SimpleQueue(), FORK.Event()

            def work() -> None:
                generator: Any = task(*pickle.loads(sent))
                for result in generator:
                    if left.is_set():
                        generator.close()
                        break
                    results.put((os.getpid(), result))
                results.put(None)

            process = FORK.Process(target=work)
            process.start()
            try:
                while (result := results.get()) is not None:
                    assert result[0] != os.getpid()
                    yield result[1]
            finally:
                left.set()
                process.join(30)
                assert process.exitcode == 0

        return call

    return decorate


@pytest.fixture
def engine() -> LendingEngine:
    here: Any = SimpleNamespace(config="of the engine on the CPU")
    lent: Any = FakeEngine()
    return LendingEngine(here, lent, lend, at_once=1, refusal=gr.Error)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return load_clip(EXAMPLES / "sound-dog.ogg")


def test_an_answer_comes_from_the_other_process_as_from_any_engine(engine: LendingEngine, clip: Clip) -> None:
    for _ in range(2):
        first, *pieces, answer = engine.stream(clip, "What is this?", task="qa", seed=3)
        assert isinstance(first, Encoded)
        assert isinstance(answer, Answer)
        assert answer.text == "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))
        assert (answer.seed, answer.stopped) == (3, False)


def test_stop_is_heard_there_and_the_words_so_far_are_kept(engine: LendingEngine, clip: Clip) -> None:
    stop = threading.Event()
    events = engine.stream(clip, "endless", stop=stop)
    began = time.monotonic()
    answer = None
    for number, event in enumerate(events):
        if number == 20:
            stop.set()
        answer = event
    assert isinstance(answer, Answer)
    assert answer.stopped
    assert "on and on" in answer.text
    assert time.monotonic() - began < 20


def test_who_leaves_ends_the_work_and_the_next_can_ask(engine: LendingEngine, clip: Clip) -> None:
    events: Any = engine.stream(clip, "endless")
    next(events)
    events.close()
    assert isinstance(list(engine.stream(clip, "What?"))[-1], Answer)


def test_a_refusal_keeps_its_sentence(engine: LendingEngine, clip: Clip) -> None:
    with pytest.raises(RequestError, match="ask another one"):
        list(engine.stream(clip, "fail"))


def refusing(title: str) -> LendingEngine:
    """An engine to which no GPU is lent, as `spaces` says it."""

    def decorate(duration: int) -> Callable[[Any], Any]:
        def call(*arguments: Any) -> Iterator[Any]:
            raise gr.Error("You have exceeded your quota. Try again in 0:02:00.", title=title)
            yield

        return lambda task: call

    engine: Any = FakeEngine()
    return LendingEngine(engine, engine, decorate, at_once=1, refusal=gr.Error)


def test_who_has_used_up_the_quota_reads_so(clip: Clip) -> None:
    engine = refusing("ZeroGPU quota exceeded")
    for _ in range(2):  # the second would wait for ever, had the first not given back its turn
        with pytest.raises(RequestError, match="exceeded your quota"):
            list(engine.stream(clip, "What?"))


def test_a_crash_there_is_not_shown_to_the_visitor(clip: Clip) -> None:
    with pytest.raises(gr.Error):
        list(refusing(zerogpu.WORKER_ERROR).stream(clip, "What?"))


def test_a_second_model_stays_off_the_gpu_that_is_only_lent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices: list[str | None] = []
    monkeypatch.setattr("usam.engine.engine.Engine.load", lambda **options: devices.append(options["device"]))
    for lends in (True, False):
        monkeypatch.setattr("ui.engines.pool.lends_gpu", lambda lends=lends: lends)
        load_other(tmp_path, "none", lambda message, share: None)
    assert devices == ["cpu", None]


def test_all_else_is_the_engine_on_the_cpu(engine: LendingEngine) -> None:
    assert engine.config == "of the engine on the CPU"


@pytest.mark.parametrize(
    ("environ", "installed", "lends"),
    [
        ({"SPACES_ZERO_GPU": "true"}, True, True),
        ({"SPACES_ZERO_GPU": "1"}, True, True),
        ({"SPACES_ZERO_GPU": "true"}, False, False),
        ({"SPACES_ZERO_GPU": "false"}, True, False),
        ({"SPACE_ID": "me/studio"}, True, False),
        ({}, True, False),
    ],
)
def test_only_a_space_that_says_so_lends(
    environ: dict[str, str], installed: bool, lends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zerogpu.importlib.util, "find_spec", lambda name: object() if installed else None)
    assert lends_gpu(environ) is lends


def test_both_engines_answer_with_the_same_language_model(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[str, str, str | None]] = []

    def load(preset: str, quantization: str, device: str, llm: str | None = None, **_: Any) -> FakeEngine:
        loaded.append((quantization, device, llm))
        return FakeEngine()

    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=lend))
    monkeypatch.setattr("usam.engine.engine.Engine.load", load)
    zerogpu.load_lending("mini", "nf4", 2, gr.Error, lambda *_: None, "owner/other")
    assert loaded == [("nf4", "cpu", "owner/other"), ("none", "cuda", "owner/other")]
