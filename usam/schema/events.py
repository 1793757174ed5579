"""Events of the engine while it answers."""

from dataclasses import dataclass

from usam.schema.answer import Answer
from usam.schema.trace import ClipSpan, Trace


@dataclass(frozen=True)
class Encoded:
    """Stream event: the clip is encoded; the trace is scored under the question alone."""

    trace: Trace
    heard: ClipSpan


@dataclass(frozen=True)
class TextDelta:
    """Stream event: more answer text."""

    text: str


Event = Encoded | TextDelta | Answer
