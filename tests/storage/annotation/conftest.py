from collections.abc import Callable
from typing import Any

import pytest

from storage import Database, Feedback
from storage.annotation.projects import Projects

Fill = Callable[..., list[str]]


@pytest.fixture
def projects(database: Database) -> Projects:
    return Projects(database)


@pytest.fixture
def fill(projects: Projects, feedback: Feedback, make_record: Callable[..., dict[str, Any]]) -> Fill:
    """Adds so many answers to a project, each about a clip of its own."""

    def fill(project: str, count: int, **values: Any) -> list[str]:
        ids = []
        for number in range(count):
            record = make_record(f"answer {number}", clip=f"{project} {number} {values}")
            ids.append(feedback.record_answer(record, annotator=None))
            projects.add(project, ids[-1], f"{number}.wav", **values)
        return ids

    return fill
