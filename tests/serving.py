"""Serves the app for tests: on a free port of this machine, with a data folder of its own."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fake_engine import FakeEngine
from ui.build import build
from ui.engines.loader import LoadEngine
from ui.engines.pool import LoadOther, load_other
from ui.settings import Settings, sqlite_url

EXAMPLES = Path(__file__).parents[1] / "ui" / "examples"


def settings_in(folder: Path, **changes: Any) -> Settings:
    return Settings(data=folder, database_url=sqlite_url(folder), **changes)


@contextmanager
def serve(
    settings: Settings,
    load_engine: LoadEngine | None = None,
    load_second: LoadOther = load_other,
    **options: Any,
) -> Iterator[str]:
    """The app on a free port of this machine; yields its address. `options` are further ones of Gradio's
    `launch`."""
    app = build(settings, load_engine, load_second)
    try:
        yield app.launch(prevent_thread_lock=True, quiet=True, **options)
    finally:
        app.demo.close(verbose=False)


def rows(data: Path, query: str) -> list[tuple[Any, ...]]:
    """What another program reads from the database file while the app runs."""
    with closing(sqlite3.connect(data / "feedback.db")) as connection:
        return connection.execute(query).fetchall()


@dataclass(frozen=True)
class Server:
    """The served app with the fake engine: its address and its data folder."""

    url: str
    data: Path
    engine: FakeEngine = field(default_factory=FakeEngine)


@contextmanager
def serve_fake(folder: Path) -> Iterator[Server]:
    """The app with a fake engine, and `folder` for its data."""
    engine = FakeEngine()
    with serve(settings_in(folder), lambda progress: engine) as url:
        yield Server(url, folder, engine)


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether it becomes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()
