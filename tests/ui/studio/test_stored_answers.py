"""Stored answers shown again, and long work that can be stopped; without a browser."""

from dataclasses import replace
from pathlib import Path

import pytest

from storage import Feedback, open_database
from storage.errors import NotFoundError
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES
from ui.inspector.payload import payload
from ui.settings import sqlite_url
from ui.studio.clips import ClipCache
from ui.studio.service import heard_file
from ui.studio.session import Session
from ui.studio.stored_answers import audio_of, link_of, load_stored_answer
from usam.audio.clip import load_clip
from usam.errors import RequestError, UsamError
from usam.schema.answer import Answer

DOG = EXAMPLES / "sound-dog.ogg"
CLIPS = ClipCache(load_clip)


@pytest.fixture
def feedback(tmp_path: Path) -> Feedback:
    return Feedback(open_database(sqlite_url(tmp_path / "data")))


def answered(start: float | None = None, end: float | None = None) -> Answer:
    *_, answer = FakeEngine(pause=0).stream(load_clip(DOG, start, end), "What animal is this?", seed=4)
    assert isinstance(answer, Answer)
    return answer


def test_an_answer_comes_back_with_the_sound_that_was_kept(feedback: Feedback) -> None:
    answer, heard = answered(1.0, 3.0), load_clip(DOG, 1.0, 3.0)
    with heard_file(heard) as file:
        answer_id = feedback.record_answer(answer.to_json(), annotator="me", audio_path=file)
    entry = load_stored_answer(feedback, answer_id, CLIPS)
    assert entry.answer == answer
    assert entry.answer_id == answer_id
    assert entry.clip is not None
    assert (entry.clip.start, entry.clip.end, entry.clip.sha256) == (1.0, 3.0, heard.sha256)
    assert entry.clip.duration == heard.duration
    assert link_of(entry) == f"?answer={answer_id}"


@pytest.mark.parametrize("span", [(None, None), (1.0, 3.0), (0.37, 5.123)])
def test_without_kept_sound_the_same_clip_in_the_player_serves(
    feedback: Feedback, span: tuple[float | None, float | None]
) -> None:
    answer_id = feedback.record_answer(answered(*span).to_json(), annotator="me")
    entry = load_stored_answer(feedback, answer_id, CLIPS)
    assert entry.clip is None
    assert audio_of(entry, str(DOG), CLIPS).heard.sha256 == entry.answer.heard.sha256
    for source in (None, "", str(EXAMPLES / "music-piano.ogg"), "gone.wav"):
        with pytest.raises(RequestError, match="was not kept"):
            audio_of(entry, source, CLIPS)


def test_a_kept_file_that_holds_another_sound_is_not_shown(feedback: Feedback) -> None:
    answer_id = feedback.record_answer(answered().to_json(), annotator="me", audio_path=str(DOG))
    kept = feedback.kept_audio(answer_id)
    assert kept is not None
    kept.write_bytes((EXAMPLES / "music-piano.ogg").read_bytes())
    assert load_stored_answer(feedback, answer_id, CLIPS).clip is None


def test_an_answer_without_its_sound_is_drawn_in_silence(feedback: Feedback) -> None:
    answer_id = feedback.record_answer(answered(1.0, 3.0).to_json(), annotator="me")
    entry = load_stored_answer(feedback, answer_id, CLIPS)
    drawn = payload(entry)
    assert (drawn["sound"]["samples"], drawn["sound"]["peak"]) == (32_000, 0.0)
    assert drawn["tokens"]["start"][0] == 1.0
    other = replace(entry, key="other")
    assert Session().add(entry).add(other).current == other


def test_an_answer_that_is_not_there_or_cannot_be_read_is_reported(feedback: Feedback) -> None:
    for wrong in ("", "1", "00000000-0000-4000-8000-000000000000", "' OR 1=1"):
        with pytest.raises(NotFoundError):
            load_stored_answer(feedback, wrong, CLIPS)
    record = answered().to_json()
    del record["tokens"]
    answer_id = feedback.record_answer(record, annotator="me")
    with pytest.raises(UsamError, match="another version"):
        load_stored_answer(feedback, answer_id, CLIPS)
