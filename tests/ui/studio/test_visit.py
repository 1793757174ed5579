"""A visit that its browser keeps, and what the server restores of it."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import Feedback, open_database
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES
from tests.ui.heard import heard_clip
from ui.settings import sqlite_url
from ui.studio.clips import ClipCache, name_of
from ui.studio.service import heard_file
from ui.studio.session import KEPT_ENTRIES, Session, SessionAnswer
from ui.studio.visit import note_of, restore
from usam.audio.clip import Clip, load_clip
from usam.schema.answer import Answer

DOG = EXAMPLES / "sound-dog.ogg"
CLIPS = ClipCache(load_clip)


@pytest.fixture
def feedback(tmp_path: Path) -> Feedback:
    return Feedback(open_database(sqlite_url(tmp_path / "data")))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Feedback:
    return Feedback(open_database(sqlite_url(tmp_path_factory.mktemp("empty"))))


def asked(feedback: Feedback, clip: Clip, question: str, *, keep: bool = False) -> SessionAnswer:
    *_, answer = FakeEngine(pause=0).stream(clip, question)
    assert isinstance(answer, Answer)
    with heard_file(clip) as file:
        stored = feedback.record_answer(answer.to_json(), annotator="me", audio_path=file if keep else None)
    return SessionAnswer(question, answer, heard_clip(clip), "dog.wav", answer_id=stored, clip_name="my dog")


def part() -> Clip:
    """No example: a part of one."""
    return load_clip(DOG, 1.0, 3.0)


def test_a_visit_comes_back_with_the_answer_that_was_on_display(feedback: Feedback) -> None:
    first, second = (asked(feedback, part(), question) for question in ("one?", "two?"))
    session = Session().add(first).add(second).show(first.key)
    back = restore(feedback, CLIPS, note_of(session))
    assert [entry.answer for entry in back.entries] == [first.answer, second.answer]
    assert back.current is not None
    assert (back.current.answer.question, back.current.clip_name) == ("one?", "my dog")
    assert back.current.asked_at is not None
    assert back.current.asked_at.tzinfo is not None


def test_audio_comes_back_only_where_it_was_kept_or_is_an_example(feedback: Feedback) -> None:
    entries = [
        asked(feedback, part(), "not kept?"),
        asked(feedback, part(), "kept?", keep=True),
        asked(feedback, load_clip(DOG), "example?"),
    ]
    session = Session()
    for entry in entries:
        session = session.add(entry)
    back = restore(feedback, CLIPS, note_of(session))
    assert [entry.clip is not None for entry in back.entries] == [False, True, True]


def test_a_deleted_answer_is_left_out(feedback: Feedback) -> None:
    session = Session().add(asked(feedback, part(), "gone?"))
    feedback.forget(annotator="me")
    assert restore(feedback, CLIPS, note_of(session)).entries == ()


@given(
    st.one_of(
        st.none(),
        st.text(),
        st.recursive(st.none() | st.text() | st.integers(), lambda deeper: st.lists(deeper)).map(json.dumps),
        st.lists(
            st.fixed_dictionaries({"id": st.text() | st.integers(), "clip": st.none() | st.integers()})
        ).map(lambda answers: json.dumps({"answers": answers, "shown": []})),
    )
)
def test_what_is_no_note_restores_nothing(empty: Feedback, note: object) -> None:
    assert restore(empty, CLIPS, note).entries == ()


def test_the_browser_s_time_zone_comes_with_the_note(empty: Feedback) -> None:
    assert restore(empty, CLIPS, '{"zone": "Asia/Tokyo"}').zone == ZoneInfo("Asia/Tokyo")


@given(
    st.one_of(st.sampled_from(["America", "/etc/passwd", "../UTC", ""]), st.text(), st.integers(), st.none())
)
def test_without_a_zone_that_is_known_times_are_the_server_s(empty: Feedback, name: object) -> None:
    zone = restore(empty, CLIPS, json.dumps({"zone": name})).zone
    assert zone is None or str(zone) in available_timezones()


def test_no_more_is_restored_than_a_session_holds(feedback: Feedback) -> None:
    entry = asked(feedback, part(), "one?")
    answers = [{"id": entry.answer_id, "clip": ""}] * (KEPT_ENTRIES + 3)
    assert len(restore(feedback, CLIPS, json.dumps({"answers": answers})).entries) == KEPT_ENTRIES


def test_clips_are_called_as_people_know_them() -> None:
    assert name_of(str(DOG)) == "Dog"
    assert name_of("uploads/0a1b/my clip.mp3") == "my clip.mp3"
    assert name_of("uploads/0a1b/audio.wav") == "recording"
