"""The words that the experts say, as rows of texts in a picture: none over another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from usam.schema.trace import Trace

MOST_ROWS = 3
LONGEST_LABEL = 28  # characters


@dataclass(frozen=True)
class WordLabel:
    """A word where it is drawn. left: s of the clip.  row: of all rows, None where there is no room for the
    text.  time: when its token begins."""

    expert: int
    label: str
    confidence: float
    time: float
    left: float = 0.0
    row: int | None = None


def word_rows(trace: Trace, width_of: Callable[[str], float]) -> tuple[list[WordLabel], int]:
    """Every word of the trace, the surest with a row first, and the number of rows.

    width_of: the seconds that a text takes on the picture's time axis.
    """
    end = trace.tokens[-1].end
    found: list[WordLabel] = []
    first = 0
    for expert, name in enumerate(trace.experts):
        words = [(token.start, word) for token in trace.tokens for word in token.words if word.expert == name]
        if not words:
            continue
        together = max(Counter(time for time, _ in words).values())
        taken: list[list[tuple[float, float]]] = [
            [] for _ in range(min(MOST_ROWS, max(together, min(2, len(words)))))
        ]
        for time, word in sorted(words, key=lambda pair: -pair[1].confidence):
            label = one_line(word.text)
            width = width_of(label)
            left = max(min(time, end - width), trace.tokens[0].start)
            right = left + width
            row = next(
                (i for i, spans in enumerate(taken) if all(right <= a or b <= left for a, b in spans)), None
            )
            if row is not None:
                taken[row].append((left, right))
            place = None if row is None else first + row
            found.append(WordLabel(expert, label, word.confidence, time, left, place))
        first += len(taken)
    return found, first


def one_line(text: str) -> str:
    """A text as short as there is room for; what cannot be printed is left out."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST_LABEL else f"{shown[: LONGEST_LABEL - 1]}…"
