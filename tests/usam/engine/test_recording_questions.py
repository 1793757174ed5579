"""Questions about whole recordings through a small engine."""

import json
import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import torch

import usam.cli.main
import usam.cli.options
from tests import tiny
from usam.audio.clip import load_clip
from usam.audio.samples import SAMPLE_RATE
from usam.engine.engine import Engine
from usam.engine.recording_encoding import (
    KEPT_SECONDS,
    EncodedRecording,
    EncodedSpan,
    RecordingCache,
    read_span,
)
from usam.errors import AudioError, RequestError
from usam.schema.answer import Turn
from usam.schema.events import TextDelta
from usam.schema.recording_answer import RecordingAnswer, RecordingEvent, SpanAnswer, SpanEncoded, clock
from usam.schema.tasks import SpeechRequest


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return tiny.engine(tmp_path)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the recording were no longer than a clip that the checkpoint was trained on."""
    monkeypatch.setattr("usam.engine.recording_questions.TRAINED_TOKENS", 1000)


def of(kind: type, events: Sequence[RecordingEvent]) -> list:  # type: ignore[type-arg]
    return [event for event in events if isinstance(event, kind)]


def answer_of(events: Sequence[RecordingEvent]) -> RecordingAnswer:
    assert isinstance(events[-1], RecordingAnswer)
    return events[-1]


def heard(engine: Engine) -> int:
    """How often the encoders were asked."""
    return engine.model.encoder("speech").calls  # type: ignore[attr-defined]


def test_what_fits_is_read_at_once_and_later_questions_encode_nothing(
    engine: Engine, recording: Path, at_once: None
) -> None:
    tiny.end_after(engine.model, 6)
    first = list(engine.ask_recording(recording, "What is said?", max_new_tokens=12))
    answer = answer_of(first)
    assert answer.way == "whole"
    assert answer.span_answers == ()
    assert "".join(event.text for event in of(TextDelta, first)).strip() == answer.text
    encoded = of(SpanEncoded, first)
    assert [event.end for event in encoded] == sorted({event.end for event in encoded})
    assert encoded[-1].end == encoded[-1].duration == pytest.approx(65.0)
    assert 65 * 12 < answer.tokens < 66 * 13
    assert all(0 <= one.start < one.end <= 65.1 and one.gain > 0 for one in answer.leans_on)
    assert [one.gain for one in answer.leans_on] == sorted(
        (one.gain for one in answer.leans_on), reverse=True
    )

    calls = heard(engine)
    later = list(engine.ask_recording(recording, "And then?", history=[Turn("What is said?", answer.text)]))
    assert of(SpanEncoded, later) == []
    assert heard(engine) == calls
    assert answer_of(later).history == (Turn("What is said?", answer.text),)


def test_a_file_that_was_changed_is_another_recording(engine: Engine, recording: Path) -> None:
    list(engine.ask_recording(recording, max_new_tokens=2))
    recording.write_bytes(recording.read_bytes()[: 44 + 20 * 2 * SAMPLE_RATE])
    assert of(SpanEncoded, list(engine.ask_recording(recording, max_new_tokens=2)))


def test_what_is_longer_than_a_clip_is_asked_span_by_span(
    engine: Engine, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usam.engine.recording_questions.TRAINED_TOKENS", 600)
    tiny.say(engine.model, "abcdefgh")
    events = list(engine.ask_recording(recording, "What is it?", max_new_tokens=4))
    answer = answer_of(events)
    assert answer.way == "span by span"
    assert list(answer.span_answers) == of(SpanAnswer, events)
    assert (answer.span_answers[0].start, answer.span_answers[-1].end) == (0.0, pytest.approx(65.0))
    assert all(one.end == other.start for one, other in pairwise(answer.span_answers))
    lines = [f"{clock(one.start)} to {clock(one.end)}: {one.text}" for one in answer.span_answers]
    assert answer.text == "\n".join(lines) == "".join(event.text for event in of(TextDelta, events))
    assert 600 < answer.tokens < answer.context
    assert answer.finish == "length"


def test_an_earlier_answer_about_many_spans_leaves_room_for_the_next(engine: Engine, recording: Path) -> None:
    engine.model.llm.config.max_position_embeddings = 800
    long = Turn("What is it?", "0:00 to 0:30: a dog barks.\n" * 100)
    answer = answer_of(list(engine.ask_recording(recording, "And?", max_new_tokens=4, history=[long])))
    assert answer.history == (long,)
    talk = [Turn("q" * 200, "a" * 200)] * 3
    with pytest.raises(RequestError, match="too long"):
        list(engine.ask_recording(recording, "And?", max_new_tokens=4, history=talk))


def test_stopped_it_keeps_what_is_encoded_and_goes_on_there(engine: Engine, recording: Path) -> None:
    stop = threading.Event()
    events = engine.ask_recording(recording, "What?", stop=stop)
    first = next(events)
    assert isinstance(first, SpanEncoded)
    stop.set()
    assert list(events) == []
    after = list(engine.ask_recording(recording, "What?", max_new_tokens=2))
    assert of(SpanEncoded, after)[0].end > first.end


def test_two_at_once_share_what_they_encode(engine: Engine, recording: Path) -> None:
    one, two = (engine.ask_recording(recording, "What?", max_new_tokens=2) for _ in range(2))
    ends = [next(one).end, next(two).end, next(one).end]  # type: ignore[union-attr]
    assert len(set(ends)) == 3
    for events in (one, two):
        assert answer_of(list(events)).duration == pytest.approx(65.0)


def test_a_spans_tokens_are_those_of_a_clip_of_it(tmp_path: Path, recording: Path) -> None:
    engine = tiny.engine(tmp_path, words=True)
    list(engine.ask_recording(recording, "What is said?", max_new_tokens=2))
    kept = engine._recordings.of(recording, SpeechRequest()).spans[0]
    question = engine.model.prompts.build("What is said?").question
    alone = engine.encode(load_clip(recording, 0.0, kept.end), "What is said?")
    alone = alone.keep(engine.model.significance(alone, [question]).total > 0.5)
    read = read_span(engine.model, kept, question)
    assert read.tokens[0].allclose(alone.tokens[alone.mask], atol=1e-4)
    assert bool(read.mask.all())


def test_what_cannot_be_asked_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="does not exist"):
        list(engine.ask_recording(tmp_path / "none.wav"))
    with pytest.raises(RequestError):
        engine.ask_recording(tmp_path / "none.wav", "x" * 5000)


def test_old_recordings_are_forgotten_when_too_much_is_kept() -> None:
    cache = RecordingCache()

    def keep(name: bytes) -> EncodedRecording:
        recording = cache.of(name, SpeechRequest())
        recording.spans.append(EncodedSpan(0.0, KEPT_SECONDS / 2, torch.zeros(1), torch.zeros(1), 0, ()))
        return recording

    first, second = keep(b"a"), keep(b"b")
    assert cache.of(b"a", SpeechRequest()) is first
    assert cache.of(b"a", SpeechRequest("translate")) is not first
    third = keep(b"c")
    assert cache.of(b"d", SpeechRequest()).spans == []
    assert cache.of(b"c", SpeechRequest()) is third
    assert cache.of(b"a", SpeechRequest()) is first
    assert cache.of(b"b", SpeechRequest()) is not second


@pytest.mark.usefixtures("at_once")
def test_the_command_says_what_the_answer_leans_on(
    engine: Engine, recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(usam.cli.options, "load_engine", lambda options: engine)
    asked = ["ask", str(recording), "What?", "--whole", "--max-new-tokens", "4"]
    assert usam.cli.main.main(asked) == 0
    assert "Read all of it at once" in capsys.readouterr().err
    assert usam.cli.main.main([*asked, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["way"], record["question"]) == ("whole", "What?")
    with pytest.raises(SystemExit):
        usam.cli.main.main([*asked, "--end", "3"])


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61.9, "1:01"), (3725, "1:02:05")])
def test_times_are_written_as_on_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
