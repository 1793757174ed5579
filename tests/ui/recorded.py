"""A studio with the small engine that hears recordings, for tests without a page."""

import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage import Feedback, open_database
from tests.fake_engine import FakeEngine
from ui.engines.loader import EngineLoader
from ui.settings import Settings, sqlite_url
from ui.studio.service import Studio


@contextmanager
def studio_of(engine: FakeEngine, folder: Path) -> Iterator[Studio]:
    """The studio, once its engine is loaded. A visitor may have two recordings waiting."""
    settings = Settings(folder, sqlite_url(folder), max_waiting_each=2)
    loader = EngineLoader(lambda progress: engine)  # type: ignore[arg-type, return-value]
    loader.start()
    loader.join()
    feedback = Feedback(open_database(settings.database_url))
    yield Studio(loader, feedback, settings)
    engine.may_hear.set()
    heard()
    feedback.database.close()


def heard() -> None:
    """Wait until no recording is being heard."""
    for thread in [one for one in threading.enumerate() if one.name == "recording"]:
        thread.join(20)
        assert not thread.is_alive()


def silence(path: Path, seconds: int) -> str:
    """A file with so much of it; returns its name."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 8000 * seconds))
    return str(path)
