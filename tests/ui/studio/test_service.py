"""What the page and the API share: the clip that is kept, and the one that is gone."""

import threading
from pathlib import Path
from typing import Any

import pytest

from storage import Feedback, open_database
from tests.fake_engine import FakeEngine
from tests.serving import rows
from ui.engines.loader import EngineLoader
from ui.examples import EXAMPLES
from ui.settings import Settings, sqlite_url
from ui.studio.service import AskRequest, Studio, heard_file
from ui.studio.session import SessionAnswer
from usam.audio.clip import load_clip
from usam.errors import UsamError
from usam.schema.events import Encoded


def test_the_kept_file_holds_exactly_what_was_heard() -> None:
    heard = load_clip(EXAMPLES["Sound"][0].path, 1.0, 4.0)
    with heard_file(heard) as path:
        assert load_clip(path).sha256 == heard.sha256


def test_a_clip_that_is_gone_is_asked_for_again(tmp_path: Path) -> None:
    nothing: Any = None
    settings = Settings(tmp_path, sqlite_url(tmp_path))
    feedback = Feedback(open_database(settings.database_url))
    with pytest.raises(UsamError, match="upload it again"):
        Studio(nothing, feedback, settings).clips.load(str(tmp_path / "swept.ogg"))
    feedback.database.close()


def test_an_answer_stopped_before_its_first_word_is_none(tmp_path: Path) -> None:
    settings, stop = Settings(tmp_path, sqlite_url(tmp_path)), threading.Event()
    loader = EngineLoader(lambda progress: FakeEngine())  # type: ignore[arg-type, return-value]
    feedback = Feedback(open_database(settings.database_url))
    events = []
    for event in Studio(loader, feedback, settings).ask(
        AskRequest("What?", "qa", EXAMPLES["Sound"][0].path), "me", stop
    ):
        events.append(event)
        if isinstance(event, Encoded):
            stop.set()
    assert not any(isinstance(event, SessionAnswer) for event in events)
    assert rows(tmp_path, "SELECT count(*) FROM answers") == [(0,)]
    feedback.database.close()
