"""What the page is sent of a whole recording: what is new, and to its owner alone."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.fake_engine import FakeEngine
from tests.ui.recorded import heard, silence, studio_of
from ui.pages.ask.recording.handlers import RecordingHandlers
from ui.pages.ask.recording.payload import Known, earlier_json, news_json, words_of
from ui.studio.service import Studio
from usam.schema.recording_record import segments_from_record


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def studio(engine: FakeEngine, tmp_path: Path) -> Iterator[Studio]:
    with studio_of(engine, tmp_path) as studio:
        yield studio


@pytest.fixture
def recording(studio: Studio, tmp_path: Path) -> str:
    """50 s: three parts, heard to their end."""
    begun = studio.recordings.begin(silence(tmp_path / "talk.wav", 50), "talk.wav", "transcribe", "me", None)
    heard()
    return begun


def news(studio: Studio, recording: str, known: Known = Known()) -> dict[str, Any]:  # noqa: B008
    found: dict[str, Any] = json.loads(news_json(studio.recordings, recording, "me", known))
    return found


def event(recording: str, **sent: Any) -> gr.EventData:
    return gr.EventData(None, {"id": recording, "turn": 1, "parts": 0, "words": 0, "edits": -1, **sent})


def test_only_what_is_new_is_sent(studio: Studio, recording: str) -> None:
    whole = news(studio, recording)
    assert (whole["phase"], whole["parts"], whole["since"]) == ("done", 3, 0)
    assert [text for _, _, text, begins in whole["words"] if begins][:2] == [" word0", " word4"]
    assert all(one[1] == two[0] for one, two in pairwise(whole["segments"]))
    later = news(studio, recording, Known(parts=2, words=48, edits=0))
    assert later["words"] == whole["words"][48:]
    nothing = news(studio, recording, Known(parts=3, words=len(whole["words"]), edits=0))
    assert not {"words", "segments"} & set(nothing)


def test_words_do_not_change_their_lines_while_more_are_heard(studio: Studio, recording: str) -> None:
    """The page draws only the lines that follow."""
    whole = [tuple(word) for word in news(studio, recording)["words"]]
    parts = studio.recordings.store.parts(recording, "me")
    for count in range(len(parts)):
        heard_then = [one for part in parts[:count] for one in segments_from_record(part.segments)]
        words = words_of(heard_then)
        assert words == whole[: len(words)]


def test_a_change_is_answered_with_all_segments_or_with_what_is_wrong(studio: Studio, recording: str) -> None:
    handlers = RecordingHandlers(studio)
    request: Any = None
    known = {"parts": 3, "words": 68, "edits": 0}

    def change(*changes: Any) -> dict[str, Any]:
        update = handlers.edited("me", event(recording, changes=list(changes), **known), request)
        reply: dict[str, Any] = json.loads(update["news"])
        return reply

    done = change({"kind": "split", "at": 5.0})
    assert (done["edits"], done["segments"][0][:2], done["words"]) == (1, [0.0, 5.0], [])
    assert "border" in change({"kind": "merge", "border": 6.5})["problem"]
    assert "list" in change(*[{"kind": "undo"}] * 21)["problem"]
    assert handlers.edited("you", event(recording, changes=[{"kind": "undo"}]), request)["news"] == ""
    assert studio.recordings.state(recording, "me").stored.edits == 1


def test_a_file_has_what_was_changed_and_json_both(studio: Studio, recording: str) -> None:
    handlers = RecordingHandlers(studio)
    studio.recordings.edit(recording, "me", [{"kind": "merge", "border": 12.0}])
    table = json.loads(handlers.wanted("me", event(recording, form="csv"))["file"])
    assert (table["name"], table["turn"]) == ("talk.csv", 1)
    assert table["text"].splitlines()[1].startswith("0.000,17.000,speech,English,piano,word0")
    both = json.loads(json.loads(handlers.wanted("me", event(recording, form="json"))["file"])["text"])
    assert [one["end"] for one in (both["segments"][0], both["original"][0])] == [17.0, 12.0]
    for wrong in (event(recording, form="exe"), event("no id", form="csv")):
        assert json.loads(handlers.wanted("me", wrong)["file"])["problem"]


@pytest.mark.parametrize(
    "note", ["", "no JSON", "[]", '{"id": 5}', '{"id": "x", "live": true}', "{" * 400, None]
)
def test_whatever_a_tab_has_kept_the_page_opens(studio: Studio, note: Any) -> None:
    assert RecordingHandlers(studio).opened("me", note)["news"] == ""


def test_what_was_being_heard_when_the_server_ended_goes_on(
    studio: Studio, engine: FakeEngine, tmp_path: Path
) -> None:
    source = silence(tmp_path / "talk.wav", 50)
    stored = studio.recordings.store.open(
        "me", "b" * 64, "transcribe", engine.model_info.fingerprint, name="t", path=source
    )
    opened = RecordingHandlers(studio).opened("me", json.dumps({"id": stored.id, "live": False}))
    assert json.loads(opened["news"])["phase"] == "stopped"
    RecordingHandlers(studio).opened("me", json.dumps({"id": stored.id, "live": True}))
    heard()
    assert news(studio, stored.id)["phase"] == "done"
    assert json.loads(earlier_json(studio.recordings.store.of("me")))[0]["done"] is True


def test_a_recording_is_deleted_by_its_owner(studio: Studio, recording: str) -> None:
    handlers = RecordingHandlers(studio)
    with pytest.raises(gr.Error):
        handlers.removed("you", event(recording))
    assert json.loads(handlers.removed("me", event(recording))["earlier"]) == []
