"""What the speech expert says: a language and words at their times, where someone speaks."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from usam.encoders.heads.sound_classes import VOICES
from usam.encoders.heads.spoken_words import LONGEST, SpokenWords, invented, quietest
from usam.encoders.whisper_step_decoder import SpokenWord, Transcript
from usam.encoders.words import Heard, KindScores, SoundScores
from usam.schema.tasks import SpeechRequest

RATE = 16_000


class Says:
    """Stands for Whisper and its decoder: says one transcript of every stretch, and keeps what it heard."""

    def __init__(self, *words: SpokenWord, language: str = "de", sure: float = 0.9) -> None:
        self.transcript = Transcript(words, language, sure, 0.1, -0.2)
        self.heard: list[tuple[int, float, SpeechRequest]] = []
        self.stream = SpokenWords(SimpleNamespace(frames=lambda samples: samples), self)  # type: ignore[arg-type]

    def transcribe(self, states: Tensor, seconds: float, request: SpeechRequest) -> Transcript:
        self.heard.append((len(states), seconds, request))
        return self.transcript

    def transcribe_sentences(
        self, states: Tensor, seconds: float, request: SpeechRequest
    ) -> list[Transcript]:
        return [self.transcribe(states, seconds, request)]


HELLO = (
    SpokenWord(0.1, 0.4, " Guten", 0.9),
    SpokenWord(0.4, 0.9, " Tag", 0.7),
    SpokenWord(0.9, 1.0, ".", 0.8),
)


def test_each_stretch_of_speech_says_its_language_and_its_words_at_their_times() -> None:
    whisper = Says(*HELLO)
    words = whisper.stream.words(Heard(torch.zeros(10 * RATE), {}, ((1.0, 3.0), (5.0, 6.5))))
    assert "".join(word.read for word in words) == " [German] Guten Tag. [German] Guten Tag."
    assert [word.start for word in words] == pytest.approx([1.1, 1.1, 1.4, 1.9, 5.1, 5.1, 5.4, 5.9])
    assert [word.text for word in words[:4]] == ["German", "Guten", "Tag", "."]
    assert [word.confidence for word in words[:4]] == [0.9, 0.9, 0.7, 0.8]


@pytest.mark.parametrize(("end", "seconds"), [(2.0, 1.0), (12.0, 9.0)])
def test_silence_is_heard_after_the_speech(end: float, seconds: float) -> None:
    whisper = Says(*HELLO)
    asked = SpeechRequest("translate", "de")
    whisper.stream.words(Heard(torch.zeros(10 * RATE), {}, ((1.0, end),), asked))
    [(samples, heard, request)] = whisper.heard
    assert heard == seconds
    assert samples == round(max(6.0, seconds + 2.0) * RATE)
    assert request == asked


def test_long_speech_is_cut_where_it_is_quietest_about_its_middle() -> None:
    whisper = Says(*HELLO)
    noise = torch.randn(40 * RATE, generator=torch.Generator().manual_seed(0))
    noise[int(21.0 * RATE) : int(21.2 * RATE)] *= 0.01
    words = whisper.stream.words(Heard(noise, {}, ((0.0, 40.0),)))
    assert [seconds for _, seconds, _ in whisper.heard] == pytest.approx([21.1, 18.9], abs=0.11)
    assert all(seconds <= LONGEST for _, seconds, _ in whisper.heard)
    assert len(words) == 8
    assert words[4].start == pytest.approx(21.2, abs=0.11)


def test_a_thorough_hearing_takes_speech_together_and_places_its_words() -> None:
    """Long pauses and sounds are not listened to; what Whisper hears is filled to 30 s with silence."""
    whisper = Says(*HELLO)
    words = whisper.stream.words(
        Heard(torch.zeros(20 * RATE), {}, ((2.0, 2.5), (3.0, 3.2), (15.0, 18.0)), thorough=True)
    )
    assert whisper.heard == [(30 * RATE, pytest.approx(4.2), SpeechRequest())]
    assert [word.start for word in words] == pytest.approx([2.1, 2.1, 2.4, 2.9])
    late = Says(SpokenWord(1.0, 1.3, " Guten", 0.9), SpokenWord(1.3, 4.2, " Tag", 0.9))
    words = late.stream.words(
        Heard(torch.zeros(20 * RATE), {}, ((2.0, 2.5), (3.0, 3.2), (15.0, 18.0)), thorough=True)
    )
    assert [word.start for word in words[1:]] == pytest.approx([3.0, 15.1])
    assert [word.end for word in words[1:]] == pytest.approx([3.2, 18.0])
    assert Says(*HELLO).stream.words(Heard(torch.zeros(20 * RATE), {}, thorough=True)) == []


def test_a_thorough_hearing_has_doubtful_words_too() -> None:
    unsure = Says(SpokenWord(0.1, 0.4, " Hello", 0.5), language="en")
    heard = Heard(torch.zeros(10 * RATE), {}, ((1.0, 4.0),))
    assert [word.text for word in unsure.stream.words(heard)] == ["English"]
    assert [word.text for word in unsure.stream.words(replace(heard, thorough=True))] == ["English", "Hello"]


def test_no_speech_no_words_and_what_is_too_short_is_not_listened_to() -> None:
    whisper = Says(*HELLO)
    assert whisper.stream.words(Heard(torch.zeros(RATE), {})) == []
    assert whisper.stream.words(Heard(torch.zeros(RATE), {}, ((0.5, 0.55), (0.98, 3.0)))) == []
    assert whisper.heard == []


@pytest.mark.parametrize("blank", [(), (SpokenWord(0.0, 1.0, " ", 0.9),)])
def test_a_transcript_without_words_names_no_language(blank: tuple[SpokenWord, ...]) -> None:
    assert Says(*blank).stream.words(Heard(torch.zeros(2 * RATE), {}, ((0.0, 2.0),))) == []


def test_words_that_are_made_up_are_not_said() -> None:
    sure = Transcript(HELLO, "en", 0.9, 0.1, -0.2)
    unsure = Transcript((SpokenWord(0.0, 1.0, " Thank", 0.3),), "en", 0.9, 0.1, -1.0)
    assert not invented(sure, False)
    assert not invented(unsure, True)
    assert invented(unsure, False)
    assert invented(Transcript(HELLO, "en", 0.9, 0.1, -5.0), True)
    faint = SoundScores(torch.full((7, len(VOICES)), 0.35), VOICES, 3.5)
    given = Heard(torch.zeros(2 * RATE), {}, ((0.0, 2.0),), sounds=faint)
    assert Says(*unsure.words).stream.words(given) == []
    speech = KindScores(torch.tensor([[2.0, -1.0, -1.0]]), 2.0)
    assert Says(*unsure.words).stream.words(replace(given, kinds=speech)) != []
    assert Says(*HELLO).stream.words(given)


@pytest.mark.parametrize(("speech", "expected"), [(0.35, " [German] Tag."), (0.9, " [German] Guten Tag.")])
def test_first_words_made_up_of_what_is_before_speech_are_left_out(speech: float, expected: str) -> None:
    sounds = SoundScores(torch.full((7, len(VOICES)), speech), VOICES, 3.5)
    given = Heard(torch.zeros(2 * RATE), {}, ((0.0, 2.0),), sounds=sounds, thorough=True)
    words = Says(SpokenWord(0.1, 0.4, " Guten", 0.3), *HELLO[1:]).stream.words(given)
    assert "".join(word.read for word in words) == expected


def test_of_english_that_is_hardly_made_out_only_the_language_is_named() -> None:
    doubted = [SpokenWord(word.start, word.end, word.text, 0.5) for word in HELLO]
    given = Heard(torch.zeros(2 * RATE), {}, ((0.0, 2.0),))
    assert "".join(word.read for word in Says(*doubted, language="en").stream.words(given)) == " [English]"
    short = Heard(torch.zeros(2 * RATE), {}, ((0.0, 1.5),))
    assert Says(*doubted, language="en", sure=0.2).stream.words(short) == []
    assert len(Says(*doubted, language="en", sure=0.2).stream.words(given)) == 1
    assert len(Says(*doubted, language="de").stream.words(given)) == 4  # nothing else would be read of it
    assert len(Says(*HELLO, language="en").stream.words(given)) == 4


def test_the_quietest_tenth_of_a_second_is_found() -> None:
    noise = torch.ones(4 * RATE)
    noise[int(2.3 * RATE) : int(2.4 * RATE)] = 0.1
    assert quietest(noise, 1.0, 3.0) == pytest.approx(2.35)


def test_a_word_over_and_over_faster_than_it_can_be_spoken_is_said_once() -> None:
    sevens = [
        SpokenWord(0.2 * at, 0.2 * (at + 1), text, 0.5 + 0.1 * at)
        for at, text in enumerate((" 7,", " 7,", " 7."))
    ]
    fast, slow = Says(*sevens), Says(*sevens)
    once = fast.stream.words(Heard(torch.zeros(RATE), {}, ((0.0, 0.6),)))
    assert "".join(word.read for word in once) == " [German] 7."
    assert (once[1].start, once[1].end, once[1].confidence) == (0.0, pytest.approx(0.6), pytest.approx(0.7))
    thrice = slow.stream.words(Heard(torch.zeros(RATE), {}, ((0.0, 0.9),)))
    assert "".join(word.read for word in thrice) == " [German] 7, 7, 7."


@pytest.mark.parametrize(("end", "text"), [(0.4, " [English] three"), (0.6, " [English]")])
def test_of_doubtful_english_only_a_single_short_word_is_said(end: float, text: str) -> None:
    whisper = Says(SpokenWord(0.0, end, " three", 0.4), language="en")
    words = whisper.stream.words(Heard(torch.zeros(RATE), {}, ((0.0, end),)))
    assert "".join(word.read for word in words) == text
