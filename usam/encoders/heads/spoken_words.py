"""Whisper's decoder as a word stream: what is said where someone speaks, and in which language."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.models.whisper.tokenization_whisper import LANGUAGES

from usam.audio.recording import quietest
from usam.audio.samples import SAMPLE_RATE
from usam.encoders.base import Role
from usam.encoders.heads.sound_names import speech_score
from usam.encoders.whisper import Whisper
from usam.encoders.whisper_step_decoder import Transcript, WhisperStepDecoder
from usam.encoders.words import Heard
from usam.schema.words import Word

TRAILING_SILENCE = 2.0  # seconds of silence that the decoder needs after the speech
LEAST_HEARD = 6.0  # seconds of speech and silence together; in less it repeats short words
LONGEST = 28.0  # seconds of speech at once
LONGEST_THOROUGH = 14.0  # of a whole recording: of more, spoken by several people, it leaves out sentences
CUT_REACH = 3.0  # seconds about the middle
SHORTEST = 0.1  # seconds
SURE_SPEECH = 0.65  # score of the speech classes above which words are believed
SURE_WORDS = 0.55  # mean confidence above which words are believed although speech is not sure
MADE_UP = -2.5  # nats a token: words are made up whatever was heard
SURE_LANGUAGE = 0.25  # probability below which a short sound that is not made out may be no speech
SHORT = 2.0  # seconds
SPARSE = 6.0, 0.5  # seconds of speech in which fewer words a second are too few
TRUSTED = 0.6  # mean confidence of an English transcript below which most of its words are wrong


class SpokenWords:
    """Words of the speech expert: a bracket with the language, then what is said.

    Of English that it can hardly make out it names the language alone: the expert's own projection, which is
    trained on accented English, then says what it hears. A thorough hearing
    has these words too.
    """

    role: Role = "speech"
    reads_frames = False

    def __init__(self, whisper: Whisper, decoder: WhisperStepDecoder) -> None:
        self.whisper = whisper
        self.decoder = decoder

    @classmethod
    def load(cls, directory: Path) -> SpokenWords:
        """The encoder as it was published, and the decoder. Raises WeightsError."""
        return cls(Whisper.load(directory).to(torch.bfloat16), WhisperStepDecoder.load(directory))

    def words(self, heard: Heard) -> list[Word]:
        found: list[Word] = []
        for start, end in heard.speech:
            found += self._span(heard, start, min(end, len(heard.waveform) / SAMPLE_RATE))
        return found

    def _span(self, heard: Heard, start: float, end: float) -> list[Word]:
        """Words of one stretch of speech; a long one is cut in two where it is quietest about the middle."""
        if end - start > (LONGEST_THOROUGH if heard.thorough else LONGEST):
            middle = self._middle(heard, start, end)
            return self._span(heard, start, middle) + self._span(heard, middle, end)
        speech = heard.waveform[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
        if len(speech) < SHORTEST * SAMPLE_RATE:
            return []
        transcript = self.transcript(speech, heard)
        words = [word for word in transcript.words if word.text.strip()]
        if heard.thorough and end - start > SPARSE[0] and len(words) < SPARSE[1] * (end - start):
            # The decoder stops early, or loops, where short words stand between pauses.
            middle = self._middle(heard, start, end)
            return self._span(heard, start, middle) + self._span(heard, middle, end)
        if not words or invented(transcript, speech_score(heard.sounds, start, end)):
            return []
        name = LANGUAGES.get(transcript.language, transcript.language).capitalize()
        first = start + words[0].start
        mark = Word(first, first, name, transcript.language_probability, " [", "]")
        if transcript.language == "en" and confidence(transcript) < TRUSTED and not heard.thorough:
            doubtful = end - start < SHORT and transcript.language_probability < SURE_LANGUAGE
            return [] if doubtful else [mark]
        return [
            mark,
            *(
                Word(
                    start + word.start,
                    start + word.end,
                    word.text.strip(),
                    word.confidence,
                    _space(word.text),
                )
                for word in words
            ),
        ]

    def _middle(self, heard: Heard, start: float, end: float) -> float:
        """Where it is quietest about the middle."""
        reach = min(CUT_REACH, (end - start) / 4)
        return quietest(heard.waveform, (start + end) / 2 - reach, (start + end) / 2 + reach)

    def transcript(self, speech: Tensor, heard: Heard) -> Transcript:
        """Of up to 30 s of speech [samples]."""
        seconds = len(speech) / SAMPLE_RATE
        silence = max(TRAILING_SILENCE, LEAST_HEARD - seconds)
        states = self.whisper.frames(F.pad(speech, (0, int(silence * SAMPLE_RATE))))
        return self.decoder.transcribe(states, seconds, task=heard.task)


def invented(transcript: Transcript, speech: float) -> bool:
    """Whether the words are made up of what is no speech; `speech` is how sure it is that someone speaks.

    Whisper's own probability of no speech does not tell: of cries and scraping things it makes "Thank you."
    with little doubt. The sound specialist's score of speech does.
    """
    doubtful = speech <= SURE_SPEECH and confidence(transcript) <= SURE_WORDS
    return doubtful or transcript.mean_logprob < MADE_UP


def confidence(transcript: Transcript) -> float:
    """Mean over the words, 0 to 1."""
    return sum(word.confidence for word in transcript.words) / len(transcript.words)


def _space(text: str) -> str:
    return " " if text.startswith(" ") else ""
