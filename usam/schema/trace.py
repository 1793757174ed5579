"""What the model made of a clip: its audio tokens with their times, routing and significance."""

from dataclasses import dataclass, replace
from typing import Literal

Supervision = Literal["question", "question+answer"]


@dataclass(frozen=True)
class ClipSpan:
    """The span of the clip the model heard. `start` and `end` in seconds of the original clip,
    `duration` the original clip's full length, `sha256` of the heard 16 kHz mono samples, `gain_db` how much
    they were raised to be heard, or turned down to full scale, `tracks` how many of sound the file has."""

    start: float
    end: float
    duration: float
    sha256: str
    gain_db: float = 0.0
    tracks: int = 1


@dataclass(frozen=True)
class TokenWord:
    """A word of a specialist at a token: the expert that predicts it, and its confidence, in [0, 1]."""

    expert: str
    text: str
    confidence: float


@dataclass(frozen=True)
class AudioToken:
    """One audio token as the LLM receives it. Times are seconds of the original clip.

    routing: one weight an expert, sums to 1.
    significance: (1 - beta) * predictive + beta * (text_relevance + audio_saliency) / 2, in [0, 1].
    word: the LLM word piece the token is anchored to most, empty for "no word here".
    dropped: the token is kept from the LLM, because it is redundant or by an intervention.
    words: those that begin at it, of any expert.
    """

    start: float
    end: float
    window: int
    routing: tuple[float, ...]
    significance: float
    predictive: float
    text_relevance: float
    audio_saliency: float
    redundant: bool
    word: str = ""
    dropped: bool = False
    words: tuple[TokenWord, ...] = ()


@dataclass(frozen=True)
class Trace:
    """Everything the inspector draws. `supervised_by` says which text scored the tokens.

    pruned: whether the LLM reads only what is not redundant, unless an intervention says otherwise.
    """

    experts: tuple[str, ...]
    tokens: tuple[AudioToken, ...]
    supervised_by: Supervision
    threshold: float = 0.5
    pruned: bool = False

    @property
    def tokens_dropped(self) -> int:
        """How many tokens never reached the LLM."""
        return sum(token.dropped for token in self.tokens)

    @property
    def without_audio(self) -> bool:
        """Whether every token was dropped: the LLM answered without audio."""
        return self.tokens_dropped == len(self.tokens)

    def flagged(self, threshold: float) -> "Trace":
        """The same scores compared with another threshold."""
        tokens = (replace(token, redundant=token.significance <= threshold) for token in self.tokens)
        return replace(self, tokens=tuple(tokens), threshold=threshold)
