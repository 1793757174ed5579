"""What is done every so often goes on after it failed, and ends when it is told to."""

import threading
import time

import pytest

from ui.studio.periodic import every


def test_what_fails_is_done_again_until_it_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    done, twice = [], threading.Event()

    def fail() -> None:
        done.append(1)
        if len(done) == 2:
            end.set()
            twice.set()
        raise RuntimeError("unforeseen")

    end = every(0.01, fail)
    assert twice.wait(20)
    time.sleep(0.1)
    assert len(done) == 2
    assert caplog.text.count("RuntimeError: unforeseen") == 2
