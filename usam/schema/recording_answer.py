"""An answer about a whole recording, and the events on the way to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from usam.schema.answer import Finish, ModelInfo, Turn
from usam.schema.events import TextDelta

Way = Literal["whole", "span by span"]
"""How a recording was asked about: the language model read all of it at once, or one span after another, and
what it answered about each was put together."""


@dataclass(frozen=True)
class SpanEncoded:
    """Event: a recording of `duration` seconds is encoded up to `end`."""

    end: float
    duration: float


@dataclass(frozen=True)
class SpanAnswer:
    """Event: what the language model answers about the span from `start` to `end` (s) alone."""

    start: float
    end: float
    text: str

    @property
    def line(self) -> str:
        """With its times, on one line."""
        return f"{clock(self.start)} to {clock(self.end)}: {' '.join(self.text.split())}"


@dataclass(frozen=True)
class SpanUsed:
    """A span (s) that an answer leans on: alone it makes the answer, or its own, likelier than no audio does,
    by `gain` nats a token."""

    start: float
    end: float
    gain: float


@dataclass(frozen=True)
class RecordingAnswer:
    """A finished answer about a recording of `duration` seconds.

    way: whether it was read at once or span by span; `span_answers` are those of the latter. leans_on: the
    spans it leans on, the strongest first. tokens: audio vectors that the language model would have had to
    read at once, and context: how many tokens it can. encode_s: seconds spent on what was not encoded before.
    """

    text: str
    question: str
    task: str
    way: Way
    leans_on: tuple[SpanUsed, ...]
    span_answers: tuple[SpanAnswer, ...]
    duration: float
    tokens: int
    context: int
    encode_s: float
    answer_s: float
    model: ModelInfo
    seed: int
    temperature: float
    finish: Finish
    history: tuple[Turn, ...] = ()

    def to_json(self) -> dict[str, Any]:
        record = asdict(self)
        return {
            "answer": record.pop("text"),
            **record,
            **{name: list(record[name]) for name in ("leans_on", "span_answers", "history")},
        }


RecordingEvent = SpanEncoded | SpanAnswer | TextDelta | RecordingAnswer


def clock(seconds: float) -> str:
    """As 1:02:03, or 2:03."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours}:{minutes:02}:{int(seconds) % 60:02}" if hours else f"{minutes}:{int(seconds) % 60:02}"
