"""Experiments on stored answers, on tiny models: by the tokens that were stored with them."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from storage import Feedback, open_database
from tests import tiny
from ui.engines.loader import EngineLoader
from ui.engines.pool import EnginePool
from ui.settings import sqlite_url
from ui.studio.clips import ClipCache
from ui.studio.experiments import Experiments, ExperimentTarget
from ui.studio.stored_answers import load_stored_answer
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.interpretability.attribution import attribute
from usam.interpretability.deletion import deletion_test
from usam.interpretability.intervention import intervene
from usam.schema.answer import Answer
from usam.schema.interventions import ForceExpert

QUESTION = "What do you hear?"
CLIP = tiny.clip(2.0)


def quiet(message: str, share: float) -> None:
    """Progress that nobody watches."""


@pytest.fixture
def clips() -> ClipCache:
    return ClipCache(lambda file, start, end: CLIP)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    checkpoint = tmp_path / "tiny"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text("{}")
    return tiny.engine(checkpoint)


@pytest.fixture
def experiments(engine: Engine, clips: ClipCache) -> Experiments:
    loader = EngineLoader(lambda progress: engine)
    for _ in loader.wait(threading.Event()):
        pass
    return Experiments(EnginePool(loader, load=lambda folder, quantization, progress: engine), clips)


@pytest.fixture
def store(tmp_path: Path, clips: ClipCache) -> Callable[..., ExperimentTarget]:
    """Stores an answer and reads it back; `token_ids` instead of its own."""
    file = tmp_path / "clip.wav"
    file.write_bytes(b"RIFF")
    feedback = Feedback(open_database(sqlite_url(tmp_path / "data")))

    def stored(answer: Answer, token_ids: tuple[int, ...] | None = None) -> ExperimentTarget:
        ids = answer.ids if token_ids is None else token_ids
        answer_id = feedback.record_answer(answer.to_json(), annotator="me", token_ids=ids)
        return ExperimentTarget(load_stored_answer(feedback, answer_id, clips), source=str(file))

    return stored


def rephrase(engine: Engine) -> None:
    """From now on the model writes other answers, as it may on another machine by rounding."""
    engine.model.llm.lm_head.weight.data.neg_()


def test_a_stored_answer_is_measured_without_generating_it_again(
    engine: Engine, experiments: Experiments, store: Callable[..., ExperimentTarget]
) -> None:
    answer = engine.ask(CLIP, QUESTION)
    target = store(answer)
    rephrase(engine)
    assert engine.ask(CLIP, QUESTION).text != answer.text
    assert experiments.deletion(target, None, 1, quiet) == deletion_test(engine, CLIP, answer, 1)
    found = experiments.attribution(target, quiet).to_json()
    assert found == attribute(engine, CLIP, answer, engine.config.queries_per_window).to_json()


def test_a_change_to_a_stored_answer_starts_from_the_stored_tokens(
    engine: Engine, experiments: Experiments, store: Callable[..., ExperimentTarget]
) -> None:
    answer = engine.ask(CLIP, QUESTION)
    target = store(answer)
    rephrase(engine)
    result = experiments.change(target, ForceExpert(1), quiet)
    assert result.baseline == answer
    assert result.logprob_change == intervene(engine, CLIP, answer, ForceExpert(1)).logprob_change


def test_an_answer_stored_without_its_tokens_is_generated_again(
    engine: Engine, experiments: Experiments, store: Callable[..., ExperimentTarget]
) -> None:
    answer = engine.ask(CLIP, QUESTION)
    target = store(answer, token_ids=())
    assert experiments.deletion(target, None, 1, quiet) == deletion_test(engine, CLIP, answer, 1)
    rephrase(engine)
    with pytest.raises(RequestError, match="No experiment can be run"):
        experiments.deletion(target, None, 1, quiet)


def test_another_model_s_tokens_are_not_held_against_this_one(
    engine: Engine, experiments: Experiments, store: Callable[..., ExperimentTarget]
) -> None:
    answer = engine.ask(CLIP, QUESTION)
    gone = replace(answer, model=replace(answer.model, fingerprint="gone"))
    target = store(gone)
    rephrase(engine)
    with pytest.raises(RequestError, match="The model is not the same"):
        experiments.deletion(target, None, 1, quiet)
