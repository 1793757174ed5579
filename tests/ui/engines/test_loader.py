"""Loading the engine in the background: progress, failure, and the end of the wait."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from ui.engines.loader import EngineLoader, LoadState
from usam.errors import UsamError, WeightsError


def test_the_loader_reports_progress_then_readiness() -> None:
    go_on, engine = threading.Event(), SimpleNamespace()

    def load(progress):  # type: ignore[no-untyped-def]
        progress("Converting", 0.5)
        go_on.wait(10)
        return engine

    loader = EngineLoader(load)
    states: Iterator[LoadState] = loader.wait(threading.Event())
    while next(states).step != "Converting":
        pass
    with pytest.raises(UsamError, match="still loading"):
        _ = loader.engine
    go_on.set()
    for _ in states:
        pass
    assert loader.state.ready
    assert loader.engine is engine


def test_stop_ends_the_wait_for_the_engine() -> None:
    stop = threading.Event()
    loader = EngineLoader(lambda progress: threading.Event().wait(30))  # type: ignore[arg-type, return-value]
    stop.set()
    assert list(loader.wait(stop)) == []


def test_a_load_that_failed_is_tried_again() -> None:
    tries: list[int] = []

    def load(progress):  # type: ignore[no-untyped-def]
        tries.append(1)
        if len(tries) == 1:
            raise WeightsError("No network.")
        return SimpleNamespace()

    loader = EngineLoader(load)
    with pytest.raises(UsamError, match=r"No network\."):
        list(loader.wait(threading.Event()))
    list(loader.wait(threading.Event()))
    assert loader.state.ready
    assert len(tries) == 2
