"""Long tasks in a thread: progress, cancellation, failure."""

import threading

import pytest

from ui.studio.jobs import JobCancelledError, JobProgress, JobResult, run_job
from usam.errors import RequestError
from usam.progress import ProgressCallback


def test_work_tells_its_steps_and_its_result() -> None:
    def work(progress: ProgressCallback) -> str:
        progress("half", 0.5)
        return "found"

    assert list(run_job(work, threading.Event())) == [JobProgress("half", 0.5), JobResult("found")]


def test_work_ends_at_its_next_step_once_it_is_stopped() -> None:
    stop, reached = threading.Event(), []

    def work(progress: ProgressCallback) -> None:
        for step in range(1000):
            progress("on", step / 1000)
            reached.append(step)
            stop.wait(0.01)

    running = run_job(work, stop)
    next(running)
    stop.set()
    with pytest.raises(JobCancelledError):
        list(running)
    assert len(reached) < 10


def test_what_was_stopped_at_its_last_step_finds_nothing() -> None:
    stop = threading.Event()
    with pytest.raises(JobCancelledError):
        list(run_job(lambda progress: stop.set(), stop))


def test_who_stops_reading_stops_the_work() -> None:
    stop = threading.Event()

    def work(progress: ProgressCallback) -> None:
        while True:
            progress("on", 0.0)
            stop.wait(0.01)

    running = run_job(work, stop)
    next(running)
    running.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("job")]


def test_what_goes_wrong_in_the_work_is_raised_to_the_reader() -> None:
    def work(progress: ProgressCallback) -> None:
        raise RequestError("Not like this.")

    with pytest.raises(RequestError, match="Not like this"):
        list(run_job(work, threading.Event()))
