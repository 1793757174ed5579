"""Hostile files sent to the running app: a sample of what `python -m tests.hostile --upload` sends."""

import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.hostile.corpus import corpus
from tests.hostile.judge import open_files
from tests.hostile.upload import App, running

SAMPLE = [case for case in corpus() if case.family not in ("long", "bombs")][::24]


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with running() as app:
        yield app


def test_hostile_uploads_are_answered_or_refused_and_leave_nothing(app: App) -> None:
    assert app.faults(SAMPLE[0]) == []
    threads, files = threading.active_count(), open_files()
    assert {case.name: faults for case in SAMPLE if (faults := app.faults(case))} == {}
    assert app.left_over() == []
    assert threading.active_count() <= threads + 2  # threads of the pool that serves requests
    assert open_files() <= files + 4
    assert httpx.get(f"{app.url}health").json()["status"] == "ready"


@pytest.mark.parametrize(
    "name",
    ["../../escape.wav", "/etc/passwd", "..\\..\\escape.wav", "a\0b.wav", "<img src=x>.wav", "." * 300],
)
def test_a_file_s_name_stays_a_name(app: App, name: str) -> None:
    """Whatever it is called, an upload lies in the folder of uploads, in one named by its content."""
    reply = httpx.post(f"{app.url}gradio_api/upload", files={"files": (name, b"sound")})
    assert reply.status_code in (200, 400)
    for path in reply.json() if reply.status_code == 200 else ():
        inside = str(app.folder / "uploads")
        assert path.startswith(inside)
        assert ".." not in path[len(inside) :].split("/")
        assert len(path[len(inside) :].split("/")) == 3
        assert "<" not in path
