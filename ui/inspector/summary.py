"""One answer's trace in words."""

from __future__ import annotations

from collections.abc import Sequence

from ui.components import messages
from usam.schema.answer import Answer
from usam.schema.trace import Trace


def mean_routing(trace: Trace, names: Sequence[str] = ()) -> str:
    """`expert 1 40 %, expert 2 60 %`: the load of each expert over the clip.

    names: of the experts, by default the trace's own.
    """
    count = max(len(trace.tokens), 1)
    loads = [sum(weights) / count for weights in zip(*(token.routing for token in trace.tokens), strict=True)]
    return ", ".join(f"{name} {load:.0%}" for name, load in zip(names or trace.experts, loads, strict=False))


def describe(answer: Answer, names: Sequence[str] = ()) -> str:
    """The picture in words: how many tokens, the load of each expert, how many tokens are redundant or not
    read, and how many words the experts say."""
    trace, heard = answer.trace, answer.heard
    redundant = sum(token.redundant for token in trace.tokens)
    words = sum(len(token.words) for token in trace.tokens)
    unread = f" {trace.tokens_dropped} were not read by the language model." if trace.pruned else ""
    spoken = f" The experts say {words} words." if words else ""
    span = messages.span(heard.start, heard.end, heard.duration)
    return (
        f"Mel spectrogram of {span} with {len(trace.tokens)} audio tokens. "
        f"Mean routing: {mean_routing(trace, names)}. {redundant} tokens are redundant.{unread}{spoken}"
    )
