"""What the encoders' heads are asked, and who is said to speak."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests import tiny
from usam.adapter.kinds import KindHead, looks_of
from usam.adapter.speaker import SPEAKERS, SpeakerHead
from usam.encoders.heads.missed_speech import missed_speech, with_missed
from usam.encoders.words import Heard, KindScores, SoundScores
from usam.model.listening import Hearing, hear, name_speakers, words_of
from usam.schema.tasks import SpeechRequest
from usam.schema.words import Word


def head(speaker: str, at_least: float = 0.9) -> SpeakerHead:
    """One that hears this speaker everywhere."""
    built = SpeakerHead(tiny.config(words=True))
    torch.nn.init.zeros_(built.head.weight)
    with torch.no_grad():
        built.head.bias.copy_(torch.tensor([4.0 if name == speaker else 0.0 for name in SPEAKERS]))
    return built


def heard(seconds: float = 4.0) -> Heard:
    clip = tiny.clip(seconds).waveform
    frames = torch.randn(round(seconds * 50), tiny.DIMS[0])
    return Heard(clip, {"speech": frames}, speech=((0.0, 1.5), (2.0, seconds)))


def test_each_transcript_says_who_speaks_before_the_language() -> None:
    words = [
        Word(0.2, 0.2, "English", 0.9, " [", "]"),
        Word(0.2, 0.6, "hello", 0.9, " "),
        Word(2.5, 2.5, "German", 0.8, " [", "]"),
        Word(2.5, 2.9, "hallo", 0.7, " "),
    ]
    named = name_speakers(words, heard(), head("woman"))
    assert "".join(word.read for word in named) == " [woman, English] hello [woman, German] hallo"
    assert [word.start for word in named] == [0.2, 0.2, 0.2, 2.5, 2.5, 2.5]
    assert all(0.9 < word.confidence <= 1 for word in named if word.text == "woman")
    assert name_speakers(words, heard(), None) == words


def test_the_frames_of_the_speech_itself_tell_the_speaker() -> None:
    built = head("man")
    with torch.no_grad():
        built.head.bias.zero_()
        built.head.weight[0, 3], built.head.weight[1, 3] = 5.0, -5.0  # by the first channel of the frames
    given = heard()
    given.frames["speech"].fill_(-1.0)
    given.frames["speech"][100:].fill_(1.0)  # from 2 s on
    words = [Word(0.2, 0.2, "English", 0.9, " [", "]"), Word(2.5, 2.5, "English", 0.8, " [", "]")]
    named = name_speakers(words, given, built)
    assert [word.text for word in named] == ["woman", "English", "man", "English"]


def test_a_clip_without_speech_or_words_has_none() -> None:
    model = tiny.model()
    hearing = hear(tiny.clip(0.5).waveform, list(model.encoders), with_words=True)
    assert hearing.heard.sounds is None
    assert hearing.heard.speech == ()
    assert words_of(hearing, (None, None, None), SpeechRequest(), None) == ((), (), ())
    assert torch.equal(hearing.frames, model.frames(tiny.clip(0.5).waveform))


class Classes:
    """Stands for an encoder whose frames are counted."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder
        self.cores: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.encoder, name)

    def frames(self, waveform: torch.Tensor) -> torch.Tensor:
        self.cores.append(torch.get_num_threads())
        return self.encoder.frames(waveform)


class Reads(tiny.ToyWords):
    """Says what the frames it is given are."""

    reads_frames = True
    weighs_kinds = False

    def words(self, heard: Heard) -> list[Word]:
        return [*super().words(heard), Word(0.0, 0.1, str(len(heard.frames["music"])), 1.0)]


@pytest.mark.parametrize("cores", [1, 4])
def test_words_are_the_same_when_they_are_said_while_the_frames_are_computed(cores: int) -> None:
    encoders: list[Any] = [Classes(encoder) for encoder in tiny.model().encoders]
    clip = tiny.clip(0.5).waveform
    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    try:
        speech, sound, music = tiny.word_streams()
        reading = Reads("music", music.said["transcribe"])
        streams = (speech, None, reading, sound)
        apart = words_of(hear(clip, encoders, True), streams, SpeechRequest("translate"), head("man"))
        asked = [list(stream.asked) for stream in (speech, reading, sound)]
        for encoder in encoders:
            encoder.cores.clear()
        hearing = hear(clip, encoders, True, streams, SpeechRequest("translate"))
        assert torch.get_num_threads() == cores
    finally:
        torch.set_num_threads(before)
    assert words_of(hearing, streams, SpeechRequest("translate"), head("man")) == apart
    assert [stream.asked for stream in (speech, reading, sound)] == [2 * one for one in asked]
    assert apart[2][-1].text == str(len(hearing.heard.frames["music"]))
    assert [encoder.cores for encoder in encoders] == [[max(1, cores // 2)]] * 3
    assert torch.equal(hearing.frames, hear(clip, encoders, False).frames)


class Weighs(tiny.ToyWords):
    """Says which kinds it is told are heard."""

    weighs_kinds = True

    def words(self, heard: Heard) -> list[Word]:
        return [Word(0.0, 0.1, str(None if heard.kinds is None else heard.kinds.scores.tolist()), 1.0)]


def test_a_stream_that_weighs_kinds_waits_for_them_where_a_head_tells() -> None:
    encoders: list[Any] = [Classes(encoder) for encoder in tiny.model().encoders]
    clip = tiny.clip(0.5).waveform
    kinds = KindHead(tiny.config(words=True))
    streams = (None, Weighs("audio", ()), None)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        told = hear(clip, encoders, True, streams, SpeechRequest(), kinds)
        untold = hear(clip, encoders, True, streams)
    finally:
        torch.set_num_threads(before)
    [word] = words_of(told, streams, SpeechRequest(), None)[1]
    assert word.text == str(kinds.scores(looks_of(told.frames)).tolist())
    [word] = words_of(untold, streams, SpeechRequest(), None)[1]
    assert word.text == "None"


class Spans(tiny.ToyWords):
    """Says a word at the beginning of each stretch of speech it is told of."""

    def words(self, heard: Heard) -> list[Word]:
        return [Word(start, start, f"{start:g} to {end:g}", 1.0, " ") for start, end in heard.speech]


@pytest.mark.parametrize("early", [True, False])
def test_what_was_missed_is_asked_for_once_it_is_known(early: bool) -> None:
    speech = KindScores(torch.tensor([[1.0, -1.0, -1.0]]), 4.0)
    noise = torch.randn(64_000, generator=torch.Generator().manual_seed(0))
    known = Heard(noise, {}, ((0.5, 1.0),), kinds=speech)
    missed = missed_speech(known)
    stream = Spans("speech", ())
    predicted: Any = {SpeechRequest(): [stream.words(known)]} if early else {}
    hearing = Hearing(torch.zeros(1, 1), with_missed(known, missed), predicted=predicted, missed=missed)
    [word] = words_of(hearing, (stream,), SpeechRequest(), None)[0]
    assert word.text == "0 to 4"


class Doubts(tiny.ToyWords):
    """Says nothing of speech until it knows the kinds."""

    def words(self, heard: Heard) -> list[Word]:
        return [Word(start, end, "said", 1.0, " ") for start, end in heard.speech if heard.kinds is not None]


def test_words_that_were_not_believed_are_asked_for_once_more_where_the_kinds_are_sure_of_speech() -> None:
    noise, spans = torch.zeros(96_000), ((0.0, 2.0), (2.0, 4.0), (4.0, 6.0))
    kinds = KindScores(torch.tensor([[2.0, -1.0, -1.0], [-2.0, 1.0, -1.0], [2.0, -1.0, 1.0]]), 2.0)
    known = Heard(
        noise, {}, spans, sounds=SoundScores(torch.zeros(14, 521), ("Speech",) * 521, 3.5), kinds=kinds
    )
    stream = Doubts("speech", ())
    predicted: Any = {SpeechRequest(): [stream.words(replace(known, kinds=None))]}
    hearing = Hearing(torch.zeros(1, 1), known, predicted=predicted)
    [word] = words_of(hearing, (stream,), SpeechRequest(), None)[0]
    assert (word.start, word.end) == (0.0, 2.0)


def test_a_head_that_fails_beside_the_encoders_is_an_error() -> None:
    class Fails(tiny.ToyWords):
        def words(self, heard: Heard) -> list[Word]:
            raise ValueError("no head")

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ValueError, match="no head"):
            hear(tiny.clip(0.5).waveform, list(tiny.model().encoders), True, (Fails("speech", ()),))
    finally:
        torch.set_num_threads(before)
