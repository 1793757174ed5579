"""Whole recordings: kept part after part, changed by their owner alone, and deleted with all about them."""

from datetime import timedelta

import pytest

from storage import Feedback
from storage.annotation.recordings import Recordings, StoredRecording
from storage.database.schema import now
from storage.errors import NotFoundError, RecordError

SHA = "a" * 64
SPLIT = {"kind": "split", "at": 4.0}


@pytest.fixture
def recordings(feedback: Feedback) -> Recordings:
    return Recordings(feedback.database)


def opened(recordings: Recordings, annotator: str = "me", sha256: str = SHA) -> StoredRecording:
    return recordings.open(annotator, sha256, "transcribe", "f00d", name="talk.mp3", path="/there/talk.mp3")


def filled(recordings: Recordings, annotator: str = "me", sha256: str = SHA) -> str:
    talk = opened(recordings, annotator, sha256).id
    recordings.add_part(talk, 0, 0.0, 20.0, 60.0, [{"kind": "speech"}])
    recordings.add_part(talk, 1, 20.0, 45.5, 60.0, [{"kind": "music"}])
    recordings.edit(talk, annotator, 0, [SPLIT])
    return talk


def test_the_same_file_is_one_recording_and_keeps_what_was_heard(recordings: Recordings) -> None:
    talk = filled(recordings)
    again = opened(recordings)
    assert (again.id, again.parts, again.edits) == (talk, 2, 1)
    assert (again.seconds, again.heard) == (60.0, 45.5)
    assert [part.segments[0]["kind"] for part in recordings.parts(talk, "me")] == ["speech", "music"]
    assert [part.start for part in recordings.parts(talk, "me", since=1)] == [20.0]
    assert opened(recordings, "you").id != talk
    assert [one.id for one in recordings.of("me")] == [talk]


def test_parts_and_changes_come_one_after_another(recordings: Recordings) -> None:
    """Two threads that hear the same part, or two pages that change the same segments."""
    talk = filled(recordings)
    with pytest.raises(RecordError, match="already"):
        recordings.add_part(talk, 1, 20.0, 40.0, 60.0, [])
    with pytest.raises(RecordError, match="elsewhere"):
        recordings.edit(talk, "me", 0, [SPLIT])
    recordings.edit(talk, "me", 1, [{"kind": "undo"}])
    assert [(one.number, one.change) for one in recordings.edits(talk, "me")] == [
        (1, SPLIT),
        (2, {"kind": "undo"}),
    ]


def test_others_neither_see_nor_touch_it(recordings: Recordings) -> None:
    talk = filled(recordings)
    for touch in (
        lambda: recordings.get(talk, "you"),
        lambda: recordings.parts(talk, "you"),
        lambda: recordings.edits(talk, "you"),
        lambda: recordings.edit(talk, "you", 1, [SPLIT]),
        lambda: recordings.delete(talk, "you"),
        lambda: recordings.get("no id", "me"),
    ):
        with pytest.raises(NotFoundError):
            touch()
    assert recordings.of("you") == []


def test_a_deletion_takes_all_of_it(recordings: Recordings, feedback: Feedback) -> None:
    talk, other = filled(recordings), filled(recordings, "you")
    assert feedback.holdings("me").recordings == 1
    gone = feedback.forget(annotator="me")
    assert (gone.recordings, str(gone).endswith("1 recording")) == (1, True)
    with pytest.raises(NotFoundError):
        recordings.add_part(talk, 2, 45.5, 60.0, 60.0, [])  # by whoever still hears it
    assert recordings.get(other, "you").parts == 2
    recordings.delete(other, "you")
    assert recordings.of("you") == []


def test_a_recording_is_forgotten_by_its_hash_and_by_age(recordings: Recordings, feedback: Feedback) -> None:
    filled(recordings)
    filled(recordings, "you", "b" * 64)
    assert feedback.forget(audio=SHA).recordings == 1
    with pytest.raises(NotFoundError):
        feedback.forget(audio=SHA)
    assert feedback.forget(before=now() - timedelta(days=1)).recordings == 0
    assert feedback.forget(before=now() + timedelta(days=1)).recordings == 1
    assert feedback.forget(before=now() + timedelta(days=1)).recordings == 0
