"""What the page is sent of a whole recording: what is new, and to its owner alone."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.fake_engine import FakeEngine
from tests.ui.recorded import heard, silence, studio_of
from ui.pages.ask.recording.answers import AnswerHandlers
from ui.pages.ask.recording.handlers import RecordingHandlers
from ui.pages.ask.recording.payload import Known, earlier_json, news_json, words_of
from ui.pages.ask.recording.questions import QuestionHandlers
from ui.studio.service import Studio
from usam.schema.recording_record import segments_from_record

REQUEST: Any = SimpleNamespace(session_hash="page", client=None)


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


def answered(
    studio: Studio, recording: str, question: str = "What?", annotator: str = "me"
) -> dict[str, Any]:
    """What the page is sent last of an answer about all of it."""
    events = QuestionHandlers(studio).asked(annotator, event(recording, question=question), REQUEST)
    *_, last = events
    shown: dict[str, Any] = json.loads(last["answer"])
    return shown


def outcome(studio: Studio, act: str, answer: str, annotator: str = "me", **rating: Any) -> dict[str, Any]:
    handler = getattr(AnswerHandlers(studio), act)
    found: dict[str, Any] = json.loads(handler(annotator, event("", of=answer, **rating), REQUEST)["outcome"])
    return found


def kept(studio: Studio, recording: str) -> list[dict[str, Any]]:
    """The answers that a page which is opened now shows."""
    opened = RecordingHandlers(studio).chosen("me", event(recording))
    answers: list[dict[str, Any]] = json.loads(opened["news"])["answers"]
    return answers


def test_answers_are_there_again_with_their_ratings(studio: Studio, recording: str) -> None:
    first, second = (answered(studio, recording, question) for question in ("Who?", "What?"))
    assert (second["done"], second["question"], second["leans"]) == (True, "What?", [[0.0, 20.0]])
    assert [one["id"] for one in kept(studio, recording)] == [second["id"], first["id"]]
    saved = outcome(studio, "rated", first["id"], thumb=-1, score=5, correction="", comment="why")
    assert "contradict" in saved["line"]
    again = kept(studio, recording)[1]
    assert (
        again["rating"] == {"thumb": -1, "score": 5, "correction": None, "comment": "why"} == saved["rating"]
    )
    assert {key: again[key] for key in ("question", "text", "line", "leans")} == {
        key: first[key] for key in ("question", "text", "line", "leans")
    }
    file = json.loads(RecordingHandlers(studio).wanted("me", event(recording, form="json"))["file"])
    assert [one["rating"] for one in json.loads(file["text"])["answers"]] == [None, saved["rating"]]
    assert outcome(studio, "withdrawn", first["id"])["rating"] is None
    assert [one["rating"] for one in kept(studio, recording)] == [None, None]
    assert "answers" not in news(studio, recording), "they are sent once"


@pytest.mark.parametrize(
    "rating", [{}, {"thumb": 9}, {"score": "5"}, {"thumb": [1]}, {"correction": 5}, {"comment": "x" * 5001}]
)
def test_what_cannot_be_saved_changes_nothing(studio: Studio, recording: str, rating: dict[str, Any]) -> None:
    answer = answered(studio, recording)["id"]
    outcome(studio, "rated", answer, score=4)
    refused = outcome(studio, "rated", answer, **rating)
    assert refused["problem"]
    assert "rating" not in refused
    assert outcome(studio, "rated", answer, "you", score=1)["problem"]
    assert outcome(studio, "rated", "no id", score=1)["problem"]
    assert kept(studio, recording)[0]["rating"]["score"] == 4


def test_an_answer_is_shown_also_when_it_cannot_be_stored(studio: Studio, recording: str) -> None:
    handlers = QuestionHandlers(studio)
    events = handlers.asked("me", event(recording, question="What?"), REQUEST)
    next(events)
    studio.recordings.delete(recording, "me")
    *_, last = events
    shown = json.loads(last["answer"])
    assert shown["text"].startswith("You asked: What?")
    assert (shown["done"], bool(shown["problem"]), "id" in shown) == (True, True, False)
