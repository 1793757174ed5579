"""A second model is lent one at a time, and goes when it is done."""

import threading
from pathlib import Path

import pytest

from tests import tiny
from tests.shelf import Shelf, alive
from ui.engines.loader import EngineLoader
from ui.engines.pool import EnginePool
from usam.engine.engine import Engine
from usam.errors import RequestError


def ready(shelf: Shelf, engine: Engine) -> EnginePool:
    loader = EngineLoader(lambda progress: engine)
    for _ in loader.wait(threading.Event()):
        pass
    return EnginePool(loader, [shelf.folder], shelf.load)


def quiet(message: str, share: float) -> None:
    """Progress that nobody watches."""


def test_models_are_lent_one_at_a_time_and_come_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    own = tiny.engine(shelf.add("tiny"))
    pool, inside, most = ready(shelf, own), [], []

    def use(engine: Engine) -> None:
        inside.append(engine.model_info.quantization)
        most.append(len(inside))
        threading.Event().wait(0.05)
        inside.pop()

    threads = [
        threading.Thread(target=pool.run_on_checkpoint, args=("tiny", precision, use, quiet))
        for precision in ("int8", "nf4", "int8")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]
    assert alive(shelf) == 0
    pool.run_on_checkpoint("tiny", "none", lambda engine: inside.append(engine), quiet)
    assert inside == [own]
    assert len(shelf.loaded) == 3


def test_a_model_goes_back_after_a_failure_too(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    pool = ready(shelf, tiny.engine(shelf.add("tiny")))

    def fail(engine: Engine) -> None:
        raise RequestError("No.")

    with pytest.raises(RequestError, match=r"No\."):
        pool.run_on_checkpoint("tiny", "int8", fail, quiet)
    assert alive(shelf) == 0
    assert (
        pool.run_on_checkpoint("tiny", "int8", lambda engine: engine.model_info.quantization, quiet) == "int8"
    )
    for name, precision in (("gone", "nf4"), ("tiny", "nf5")):
        with pytest.raises(RequestError, match="Choose a checkpoint"):
            pool.run_on_checkpoint(name, precision, lambda engine: None, quiet)


def test_an_answer_is_studied_on_the_model_that_gave_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    own = tiny.engine(shelf.add("tiny"))
    later = tiny.engine(shelf.add("later")).model_info
    pool = ready(shelf, own)
    names = [
        pool.run_on(info, lambda engine: engine.checkpoint.name, quiet) for info in (own.model_info, later)
    ]
    assert names == ["tiny", "later"]
    assert shelf.loaded == [("later", "none")]
