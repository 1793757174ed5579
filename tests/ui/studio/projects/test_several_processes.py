"""Processes that share a database: one imports, the others go on when it is gone, and each can stop it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from storage import StorageError, only_process, open_database
from storage.annotation.imports import ProjectImports
from storage.annotation.projects import Projects
from tests.fake_engine import FakeEngine
from tests.postgresql import needs_postgresql, scratch_schema
from tests.serving import settings_in, until
from tests.ui.importing import DOG, PIANO, item, studio_in
from ui.build import build
from ui.engines.loader import EngineLoader
from ui.studio.periodic import every
from ui.studio.projects import importer
from ui.studio.projects.importer import ImportState
from ui.studio.service import Studio
from usam.errors import UsamError

CLIPS = [item(DOG), item(PIANO), item(DOG, "How loud is it?")]
IMPORT_UNTIL_KILLED = """
import sys
from pathlib import Path
from tests.fake_engine import FakeEngine
from tests.ui.importing import studio_in
studio = studio_in(Path(sys.argv[1]), url=sys.argv[2], engine=FakeEngine(pause=0.3))
studio.importer.run(lambda state: print(state.done, flush=True))
"""


class Killed(BaseException):
    """Ends a process at once: nothing is written any more, and its lock is free."""


class DyingEngine(FakeEngine):
    """Answers once; the second answer kills its process."""

    def stream(self, *arguments: Any, **named: Any) -> Iterator[Any]:
        if self.asked:
            raise Killed
        yield from super().stream(*arguments, **named)


@pytest.fixture(params=["SQLite", pytest.param("PostgreSQL", marks=needs_postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("USAM_DATA", str(tmp_path))
    if request.param == "SQLite":
        yield f"sqlite:///{tmp_path / 'feedback.db'}"
    else:
        with scratch_schema() as inside:
            yield inside


@pytest.fixture
def processes(url: str, tmp_path: Path) -> Iterator[tuple[Studio, Studio]]:
    first, second = (studio_in(tmp_path, url=url) for _ in range(2))
    yield first, second
    for studio in (first, second):
        studio.importer.join()
        studio.feedback.database.close()


def asked(*processes: Studio) -> int:
    """How many clips their models were asked about."""
    engines: list[Any] = [studio.loader.engine for studio in processes if studio.loader.state.ready]
    return sum(len(engine.asked) for engine in engines)


def assert_each_is_an_item_once(studio: Studio) -> None:
    found = Projects(studio.feedback.database).items("birds")
    assert sorted((one.source, one.question) for one in found) == sorted(
        (one.source, one.question) for one in CLIPS
    )
    with studio.feedback.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM answers")) == len(CLIPS)
    assert studio.importer.imports.waiting() == 0


def test_another_process_goes_on_with_what_a_dead_one_left(
    url: str, tmp_path: Path, processes: tuple[Studio, Studio]
) -> None:
    _, alive = processes
    dying = studio_in(tmp_path, url=url, engine=DyingEngine(pause=0))
    dying.importer.imports.add("birds", CLIPS)
    with pytest.raises(Killed):
        dying.importer.run()
    assert alive.importer.imports.waiting() == 2
    alive.importer.look()
    alive.importer.join()
    assert_each_is_an_item_once(alive)
    assert (asked(dying), asked(alive)) == (1, 2)
    dying.feedback.database.close()


@pytest.mark.slow
def test_another_process_goes_on_when_one_is_killed(
    url: str, tmp_path: Path, processes: tuple[Studio, Studio]
) -> None:
    alive, _ = processes
    alive.importer.imports.add("birds", CLIPS)
    command = [sys.executable, "-c", IMPORT_UNTIL_KILLED, str(tmp_path), url]
    root = {"PYTHONPATH": str(Path(__file__).parents[4])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | root) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "1\n":
            assert process.poll() is None
        alive.importer.look()
        assert not alive.importer.state.running, "the other one is alive"
        process.send_signal(signal.SIGKILL)
    looking = every(0.05, alive.importer.look)
    assert until(lambda: alive.importer.imports.waiting() == 0)
    looking.set()
    assert_each_is_an_item_once(alive)
    assert asked(alive) == 2


def test_nobody_goes_on_while_another_imports(url: str, processes: tuple[Studio, Studio]) -> None:
    first, second = processes
    first.importer.imports.add("birds", CLIPS)
    other = open_database(url)
    with only_process(other, "import"):
        first.importer.look()
        assert not first.importer.state.running
        assert first.importer.current() == ImportState(elsewhere=True, due=True)
    other.close()
    assert until(lambda: not first.importer.current().elsewhere)
    for studio in (first, second):
        studio.importer.look()
    for studio in (first, second):
        studio.importer.join()
    assert_each_is_an_item_once(first)
    assert asked(first, second) == len(CLIPS)


def test_a_stop_at_one_process_ends_the_run_of_another(
    url: str, tmp_path: Path, processes: tuple[Studio, Studio]
) -> None:
    first, second = processes
    first.importer.imports.add("birds", CLIPS)

    def stop_at_the_second(state: ImportState) -> None:
        if state.running and state.done == 1:
            second.importer.stop()
            assert second.importer.current() == ImportState(elsewhere=True)

    first.importer.run(stop_at_the_second)
    assert (asked(first), first.importer.state.left, first.importer.state.ended) == (2, 1, "")
    restarted = studio_in(tmp_path, url=url)
    restarted.importer.resume()
    for studio in (first, second, restarted):
        studio.importer.look()
        assert not studio.importer.state.running, "it is stopped for all of them"
    second.importer.imports.retry("birds")
    first.importer.look()
    first.importer.join()
    assert_each_is_an_item_once(second)
    assert asked(first, second, restarted) == len(CLIPS)
    restarted.feedback.database.close()


def test_a_look_where_nothing_waits_is_one_query_and_loads_no_model(
    processes: tuple[Studio, Studio],
) -> None:
    studio, _ = processes
    statements = []
    engine = studio.feedback.database.engine
    event.listen(engine, "before_cursor_execute", lambda *of: statements.append(of[2]))
    studio.importer.look()
    assert [one.split()[0] for one in statements if not one.startswith("BEGIN")] == ["SELECT"]
    assert studio.importer.state == ImportState()
    assert asked(studio) == 0
    assert studio.loader.state.fraction == 0


def test_a_database_that_fails_is_asked_again(
    processes: tuple[Studio, Studio], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    studio, _ = processes
    studio.importer.imports.add("birds", CLIPS)

    def unreachable(imports: ProjectImports) -> bool:
        raise StorageError("The database cannot be reached.")

    with monkeypatch.context() as patch:
        patch.setattr(ProjectImports, "due", unreachable)
        studio.importer.look()
    assert "cannot be reached" in caplog.text
    assert not studio.importer.state.running
    studio.importer.look()
    studio.importer.join()
    assert_each_is_an_item_once(studio)


def test_a_model_that_does_not_load_is_left_alone_for_a_while(
    processes: tuple[Studio, Studio], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = processes
    loads = []

    def fail(progress: Any) -> Any:
        loads.append(progress)
        raise UsamError("The weights are damaged.")

    broken.loader = EngineLoader(fail)
    broken.importer.imports.add("birds", CLIPS)
    for _ in range(3):
        broken.importer.look()
        broken.importer.join()
    assert len(loads) == 1
    assert broken.importer.current().ended == "The weights are damaged."
    assert broken.importer.imports.waiting() == len(CLIPS)
    broken.importer.start()
    broken.importer.join()
    assert len(loads) == 2, "a person can go on at once"
    monkeypatch.setattr(importer, "PAUSE_SECONDS", 0.0)
    broken.importer.start()
    broken.importer.join()
    broken.importer.look()
    broken.importer.join()
    assert len(loads) == 4, "the pause is over"
    sound.importer.look()
    sound.importer.join()
    assert_each_is_an_item_once(sound)
    assert broken.importer.current().ended == "", "what failed here was done elsewhere"


def test_the_app_looks_where_a_server_holds_the_database(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repeated = []
    monkeypatch.setattr("ui.build.every", lambda seconds, action: repeated.append((seconds, action)))
    settings = replace(settings_in(tmp_path), database_url=url)
    engine: Any = FakeEngine()
    app = build(settings, lambda progress: engine)
    served = app.studio.feedback.database.served
    assert ((importer.LOOK_SECONDS, app.studio.importer.look) in repeated) == served
    app.demo.close(verbose=False)
    app.studio.loader.join()
    app.studio.feedback.database.close()


@needs_postgresql
@pytest.mark.parametrize("url", ["PostgreSQL"], indirect=True)
def test_who_loses_the_lock_leaves_the_rest_to_others(processes: tuple[Studio, Studio]) -> None:
    cut, other = processes
    cut.importer.imports.add("birds", CLIPS)

    def cut_the_connection(state: ImportState) -> None:
        if state.running and state.done == 1:
            locks = "FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid != pg_backend_pid()"
            with other.feedback.database.read() as session:
                assert session.scalar(text(f"SELECT pg_terminate_backend(pid) {locks}"))
            assert until(lambda: not other.importer.current().elsewhere)

    cut.importer.run(cut_the_connection)
    assert "cannot be reached" in cut.importer.state.ended
    assert (asked(cut), cut.importer.imports.waiting()) == (2, 1)
    other.importer.look()
    other.importer.join()
    assert_each_is_an_item_once(other)
    assert asked(cut, other) == len(CLIPS)


def test_a_stop_does_not_wait_for_this_processs_model_to_load(processes: tuple[Studio, Studio]) -> None:
    studio, _ = processes
    begun, may_load = threading.Event(), threading.Event()

    def slow(progress: Any) -> Any:
        begun.set()
        may_load.wait()
        return FakeEngine()

    studio.loader = EngineLoader(slow)
    studio.importer.imports.add("birds", CLIPS)
    studio.importer.look()
    assert begun.wait(20)
    studio.importer.stop()
    assert not studio.importer.state.running
    assert studio.importer.imports.waiting() == len(CLIPS)
    may_load.set()
    studio.loader.join()
