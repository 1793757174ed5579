"""Clips to import, and what imports them without a page."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from storage import Feedback, open_database
from storage.annotation.imports import NewItem
from storage.annotation.projects import Projects
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, settings_in
from ui.engines.loader import EngineLoader
from ui.studio.service import Studio

DOG, PIANO = EXAMPLES / "sound-dog.ogg", EXAMPLES / "music-piano.ogg"


def item(path: Path, question: str = "What is it?") -> NewItem:
    return NewItem(path, path.name, "qa", question)


def studio_in(
    folder: Path, storage: str | None = None, url: str | None = None, engine: FakeEngine | None = None
) -> Studio:
    """One process of the app, with a project. url: of the database; by default in the folder."""
    settings = settings_in(folder)
    settings = replace(settings, database_url=url or settings.database_url)
    answering: Any = engine or FakeEngine(pause=0)
    database = open_database(settings.database_url, storage=storage)
    studio = Studio(EngineLoader(lambda progress: answering), Feedback(database), settings)
    if not Projects(database).all():
        Projects(database).make("birds")
    return studio
