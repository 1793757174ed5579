"""Where a span of a recording ends that is followed by another: between two sentences, if there are any.

The times of the last word and of the next one are unsure. The pause between them is looked for, and words
count by their order, so that none is lost and none is heard twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from usam.audio.recording import LONGEST, OVERLAP, SHORTEST, quietest
from usam.audio.samples import SAMPLE_RATE
from usam.encoders.heads.missed_speech import SURE_SPEECH
from usam.encoders.heads.sound_names import speech_score
from usam.encoders.words import Heard
from usam.schema.words import Word

SENTENCE_ENDS = (".", "?", "!", "。", "？", "！")
LEAST_WRITTEN = 5.0  # seconds of a span, or its speech is not heard once more
UNWRITTEN = 1.5  # seconds of speech after the last word: more of it was not written down
LATE, EARLY = 0.6, 0.2  # seconds by which a word may end before, and the next begin after, what its time says
ENDED = 1.5  # seconds of what is heard after the last word: it was no sentence that goes on
ABBREVIATIONS = frozenset({"Mr.", "Mrs.", "Ms.", "Dr.", "St.", "Sr.", "Sra.", "Hr.", "Fr.", "M."})


@dataclass(frozen=True)
class Cut:
    """Where (s) a span ends that is followed by another, and how many of its words count."""

    at: float
    words: int


def span_cut(words: Sequence[Word], heard: Heard, whole: bool) -> Cut:
    """Where a span ends: `whole`, or after its last sentence that is followed by another, or else where it is
    quietest; where people speak on whose words are missing, after the last word that is not."""
    cut = Cut(heard_seconds(heard), len(words)) if whole else _last_sentence(words, heard.waveform)
    after = words[cut.words - 1].end if cut.words else 0.0
    missing = sum(max(0.0, min(b, cut.at) - max(a, after)) for a, b in _surely_spoken(heard))
    if missing <= UNWRITTEN or after <= LEAST_WRITTEN:
        return cut
    return Cut(quietest(heard.waveform, after - LATE, after + EARLY), cut.words)


def _last_sentence(words: Sequence[Word], waveform: Tensor) -> Cut:
    """Words may seem to end late and to begin early or late, so that the pause between two is looked for.

    The last sentence counts too if Whisper ended long before what it heard: then it is no part of one.
    """
    least, most = SHORTEST, LONGEST - OVERLAP
    for index in range(len(words) - 1, -1, -1):
        word = words[index]
        if not word.text.endswith(SENTENCE_ENDS) or word.text in ABBREVIATIONS:
            continue
        if index + 1 < len(words):
            following = words[index + 1]
            last = min((following.start + following.end) / 2, following.start + EARLY)
        elif word.end < LONGEST - ENDED:
            last = word.end + EARLY
        else:
            continue
        first = max((word.start + word.end) / 2, word.end - LATE)
        at = quietest(waveform, first, last) if last - first > EARLY else (first + last) / 2
        if least <= at <= most:
            return Cut(at, index + 1)
    at = quietest(waveform, least, most)
    return Cut(at, sum((word.start + word.end) / 2 < at for word in words))


def heard_seconds(heard: Heard) -> float:
    return len(heard.waveform) / SAMPLE_RATE


def _surely_spoken(heard: Heard) -> list[tuple[float, float]]:
    """Where (s) someone speaks, and not an animal that may be taken for a person."""
    return [span for span in heard.speech if speech_score(heard.sounds, *span) > SURE_SPEECH]
