"""Whole recordings: heard in the background, stopped, gone on with, changed, and forgotten meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.errors import NotFoundError
from tests.fake_engine import FakeEngine
from tests.ui.recorded import heard, silence, studio_of
from ui.studio.recordings.service import RecordingService
from ui.studio.recordings.state import RecordingState
from ui.studio.service import Studio
from usam.errors import RequestError


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def studio(tmp_path: Path, engine: FakeEngine) -> Iterator[Studio]:
    with studio_of(engine, tmp_path) as studio:
        yield studio


@pytest.fixture
def service(studio: Studio) -> RecordingService:
    return studio.recordings


@pytest.fixture
def talk(tmp_path: Path) -> str:
    """70 s: four parts."""
    return silence(tmp_path / "talk.wav", 70)


def begun(service: RecordingService, source: str, person: str = "me", task: Any = "transcribe") -> str:
    return service.begin(source, "talk.wav", task, person, None)


def at_end(service: RecordingService, recording: str) -> RecordingState:
    heard()
    return service.state(recording, "me")


def test_a_recording_is_heard_to_its_end_and_only_once(
    service: RecordingService, engine: FakeEngine, talk: str
) -> None:
    recording = begun(service, talk)
    state = at_end(service, recording)
    assert (state.phase, state.stored.heard, state.stored.parts) == ("done", 70.0, 4)
    segments = service.segments(recording, "me")
    assert [(one.start, one.kind) for one in segments[:4]] == [
        (0.0, "speech"),
        (12.0, "music"),
        (17.0, "silence"),
        (20.0, "speech"),
    ]
    assert begun(service, talk) == recording
    at_end(service, recording)
    assert engine.heard_parts == [0.0, 20.0, 40.0, 60.0]
    assert begun(service, talk, task="translate") != recording


def test_what_was_stopped_goes_on_where_it_was(
    service: RecordingService, engine: FakeEngine, talk: str, tmp_path: Path
) -> None:
    engine.may_hear.clear()
    recording = begun(service, talk)
    service.stop(recording, "me")
    engine.may_hear.set()
    state = at_end(service, recording)
    assert (state.phase, state.stored.parts) == ("stopped", len(engine.heard_parts))
    copy = silence(tmp_path / "copy.wav", 70)
    assert begun(service, copy) == recording, "known by what is in the file"
    assert at_end(service, recording).phase == "done"
    assert engine.heard_parts == [0.0, 20.0, 40.0, 60.0]


def test_a_failure_says_why_and_what_was_heard_stays(
    service: RecordingService, engine: FakeEngine, talk: str
) -> None:
    recording = begun(service, talk)
    at_end(service, recording)
    Path(talk).write_bytes(b"no sound")
    other = begun(service, talk)
    state = at_end(service, other)
    assert (state.phase, state.stored.parts) == ("stopped", 0)
    assert "talk.wav" in state.message
    Path(talk).unlink()
    with pytest.raises(RequestError, match="upload it again"):
        service.resume(other, "me", None)
    service.resume(recording, "me", None)  # there is nothing left to hear
    assert service.state(recording, "me").phase == "done"


def test_each_visitor_has_a_share_and_nobody_hears_anothers(
    service: RecordingService, engine: FakeEngine, talk: str, tmp_path: Path
) -> None:
    engine.may_hear.clear()
    recording = service.begin(talk, "talk", "transcribe", "me", "visitor")
    service.begin(talk, "talk", "transcribe", "me", "visitor")  # is being heard already
    service.begin(silence(tmp_path / "2.wav", 20), "two", "transcribe", "me", "visitor")
    with pytest.raises(RequestError, match="waiting"):
        service.begin(silence(tmp_path / "3.wav", 21), "three", "transcribe", "me", "visitor")
    for touch in (
        lambda: service.state(recording, "you"),
        lambda: service.segments(recording, "you"),
        lambda: service.stop(recording, "you"),
        lambda: service.resume(recording, "you", None),
        lambda: service.edit(recording, "you", [{"kind": "split", "at": 2.0}]),
    ):
        with pytest.raises(NotFoundError):
            touch()


def test_segments_are_changed_and_what_was_heard_stays(service: RecordingService, talk: str) -> None:
    recording = begun(service, talk)
    at_end(service, recording)
    before = service.heard(recording, "me")
    merge, split = {"kind": "merge", "border": 12.0}, {"kind": "split", "at": 4.25}
    service.edit(recording, "me", [merge, split])
    with pytest.raises(RequestError):
        service.edit(recording, "me", [{"kind": "undo"}, split, merge, merge])
    segments = service.segments(recording, "me")
    assert [(one.start, one.end) for one in segments[:2]] == [(0.0, 4.25), (4.25, 17.0)]
    assert service.heard(recording, "me") == before
    assert service.state(recording, "me").stored.edits == 2


def test_it_ends_when_its_person_is_forgotten(
    service: RecordingService, studio: Studio, engine: FakeEngine, talk: str
) -> None:
    engine.may_hear.clear()
    begun(service, talk)
    studio.feedback.forget(annotator="me")
    engine.may_hear.set()
    heard()
    assert len(engine.heard_parts) <= 1
    assert service.store.of("me") == []
