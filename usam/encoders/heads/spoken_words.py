"""Whisper's decoder as a word stream: what is said where someone speaks, and in which language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.models.whisper.tokenization_whisper import LANGUAGES

from usam.audio.recording import quietest
from usam.audio.samples import SAMPLE_RATE
from usam.encoders.base import Role
from usam.encoders.heads.missed_speech import surely_speech
from usam.encoders.whisper import Whisper
from usam.encoders.whisper_step_decoder import SpokenWord, Transcript, WhisperStepDecoder
from usam.encoders.words import Heard
from usam.schema.words import Word

TRAILING_SILENCE = 2.0  # seconds of silence that the decoder needs after the speech
LEAST_HEARD = 6.0  # seconds of speech and silence together; in less it repeats short words
LONGEST = 28.0  # seconds of speech at once
WHOLE = 30.0  # seconds that Whisper was trained on
PAUSE = 2.0  # seconds between two stretches of speech that are heard as one
CUT_REACH = 3.0  # seconds about the middle
SHORTEST = 0.1  # seconds
SURE_WORDS = 0.55  # mean confidence above which words are believed although speech is not sure
MADE_UP = -2.5  # nats a token: words are made up whatever was heard
SURE_LANGUAGE = 0.25  # probability below which a short sound that is not made out may be no speech
SHORT = 2.0  # seconds
TRUSTED = 0.6  # mean confidence of an English transcript below which most of its words are wrong
TOO_SHORT = 0.5  # seconds of speech of which the expert's own projection makes out less than Whisper does
FASTEST = 0.25  # seconds a word, below which nobody repeats it


class SpokenWords:
    """Words of the speech expert: a bracket with the language, then what is said.

    Of English that it can hardly make out it names the language alone: the expert's own projection, which is
    trained on accented English, then says what it hears; but for a single short word. A thorough hearing has
    these words too, and those of people who speak one after another, sentence by sentence.
    """

    role: Role = "speech"
    reads_frames = False
    weighs_kinds = False

    def __init__(self, whisper: Whisper, decoder: WhisperStepDecoder) -> None:
        self.whisper = whisper
        self.decoder = decoder

    @classmethod
    def load(cls, directory: Path) -> SpokenWords:
        """The encoder as it was published, and the decoder. Raises WeightsError."""
        return cls(Whisper.load(directory).to(torch.bfloat16), WhisperStepDecoder.load(directory))

    def words(self, heard: Heard) -> list[Word]:
        seconds = len(heard.waveform) / SAMPLE_RATE
        if heard.thorough:
            parts = [
                (start, min(start + WHOLE, seconds)) for start in np.arange(0.0, seconds, WHOLE).tolist()
            ]
            return [word for start, end in parts for word in self._sentences(heard, start, end)]
        found: list[Word] = []
        for start, end in heard.speech:
            found += self._span(heard, start, min(end, seconds))
        return found

    def _span(self, heard: Heard, start: float, end: float) -> list[Word]:
        """Words of one stretch of speech; a long one is cut in two where it is quietest about the middle."""
        if end - start > LONGEST:
            reach = min(CUT_REACH, (end - start) / 4)
            middle = quietest(heard.waveform, (start + end) / 2 - reach, (start + end) / 2 + reach)
            return self._span(heard, start, middle) + self._span(heard, middle, end)
        speech = heard.waveform[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
        if len(speech) < SHORTEST * SAMPLE_RATE:
            return []
        transcript = self.transcript(speech, heard)
        words = _visible(transcript)
        if not words or invented(transcript, surely_speech(heard, start, end)):
            return []
        words = _unrepeated(words, end - start)
        mark = _mark(transcript, start + words[0].start)
        spoken = [mark, *(_moved(word, start) for word in words)]
        if transcript.language == "en" and confidence(transcript) < TRUSTED:
            if end - start < SHORT and transcript.language_probability < SURE_LANGUAGE:
                return []
            return spoken if end - start < TOO_SHORT else [mark]
        return spoken

    def _sentences(self, heard: Heard, start: float, end: float) -> list[Word]:
        """Words of up to 30 s that may hold pauses, sounds and several people who speak.

        What is heard between people's speech is left out: before it Whisper makes up words, after it none.
        """
        spoken = Spoken.within(heard.speech, start, end)
        if spoken.seconds < SHORTEST:
            return []
        samples = spoken.of(heard.waveform)
        states = self.whisper.frames(F.pad(samples, (0, int(WHOLE * SAMPLE_RATE) - len(samples))))
        found: list[Word] = []
        for sentence in self.decoder.transcribe_sentences(states, spoken.seconds, heard.request):
            words = [spoken.placed(word) for word in _visible(sentence)]
            if not words or invented(sentence, surely_speech(heard, words[0].start, words[-1].end)):
                continue
            words = _from_sure(words, heard)
            if not words:
                continue
            if not found:
                found.append(_mark(sentence, words[0].start))
            found += words
        return found

    def transcript(self, speech: Tensor, heard: Heard) -> Transcript:
        """Of up to 30 s of speech [samples]."""
        seconds = len(speech) / SAMPLE_RATE
        silence = max(TRAILING_SILENCE, LEAST_HEARD - seconds)
        states = self.whisper.frames(F.pad(speech, (0, int(silence * SAMPLE_RATE))))
        return self.decoder.transcribe(states, seconds, heard.request)


@dataclass(frozen=True)
class Spoken:
    """Stretches of speech (s of what is heard), one after another without what is between them."""

    spans: tuple[tuple[float, float], ...]

    @classmethod
    def within(cls, speech: Sequence[tuple[float, float]], start: float, end: float) -> Spoken:
        """Those between two times; short pauses belong to the speech about them."""
        found: list[tuple[float, float]] = []
        for first, last in speech:
            first, last = max(start, first), min(end, last)
            if found and first - found[-1][1] < PAUSE:
                found[-1] = (found[-1][0], last)
            elif last > first:
                found.append((first, last))
        return cls(tuple(found))

    @property
    def seconds(self) -> float:
        return sum(end - start for start, end in self.spans)

    def of(self, waveform: Tensor) -> Tensor:
        """Their samples [N] of a waveform [samples]."""
        return torch.cat([waveform[round(a * SAMPLE_RATE) : round(b * SAMPLE_RATE)] for a, b in self.spans])

    def placed(self, word: SpokenWord) -> Word:
        """A word of them where it was heard."""
        passed = 0.0
        for start, end in self.spans:
            if word.start < passed + end - start or (start, end) == self.spans[-1]:
                break
            passed += end - start
        by = start - passed
        return _moved(replace(word, end=min(word.end + by, end) - by), by)


def invented(transcript: Transcript, sure: bool) -> bool:
    """Whether the words are made up of what is no speech; `sure`: someone surely speaks.

    Whisper's own probability of no speech does not tell: of cries and scraping things it makes "Thank you."
    with little doubt. What the other encoders hear does.
    """
    doubtful = not sure and confidence(transcript) <= SURE_WORDS
    return doubtful or transcript.mean_logprob < MADE_UP


def _from_sure(words: Sequence[Word], heard: Heard) -> list[Word]:
    """A sentence without its first words that may be made up of what is heard before someone speaks."""
    for index, word in enumerate(words):
        if word.confidence > SURE_WORDS or surely_speech(heard, word.start, word.end):
            return list(words[index:])
    return []


def confidence(transcript: Transcript) -> float:
    """Mean over the words, 0 to 1."""
    return sum(word.confidence for word in transcript.words) / len(transcript.words)


def _visible(transcript: Transcript) -> list[SpokenWord]:
    """Its words that are more than space."""
    return [word for word in transcript.words if word.text.strip()]


def _unrepeated(words: list[SpokenWord], seconds: float) -> list[SpokenWord]:
    """Once what is the same word over and over, faster than it can be spoken: short words Whisper repeats."""
    same = len({"".join(filter(str.isalnum, word.text)).lower() for word in words}) == 1
    if not same or len(words) == 1 or seconds / len(words) >= FASTEST:
        return words
    surest = max(word.confidence for word in words)
    return [replace(words[-1], start=words[0].start, confidence=surest)]


def _mark(transcript: Transcript, at: float) -> Word:
    """The language, in a bracket before the words."""
    name = LANGUAGES.get(transcript.language, transcript.language).capitalize()
    return Word(at, at, name, transcript.language_probability, " [", "]")


def _moved(word: SpokenWord, by: float) -> Word:
    return Word(word.start + by, word.end + by, word.text.strip(), word.confidence, _space(word.text))


def _space(text: str) -> str:
    return " " if text.startswith(" ") else ""
