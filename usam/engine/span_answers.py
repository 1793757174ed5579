"""One answer from what was answered about each span of a recording, without asking the model again.

A small language model that reads twenty of its own answers contradicts most of them: of five spans with music
in a recording it says that there is none. So they are put together by rules, each in the model's own words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from usam.schema.answer import REFUSALS
from usam.schema.recording_answer import SpanAnswer
from usam.schema.tasks import TASKS

_YES, _NO = "Yes", "No"
_VERDICT = re.compile(rf"({_YES}|{_NO})\b[,.:]?\s*")
_FIRST = re.compile(r"\bfirst\b|\b(at|in) the (start|beginning)\b|\b(starts?|begins?) with\b", re.IGNORECASE)
_LAST = re.compile(
    r"\b(comes?|is heard|heard|the|very) last\b|\bat the end\b|\bends? with\b|\bfinally\b", re.IGNORECASE
)


def combined(question: str, task: str, answers: Sequence[SpanAnswer]) -> tuple[str, list[SpanAnswer]]:
    """An answer to a question about a whole recording, from one or more about its spans in their order; and
    the spans that it rests on, none where these are all that tell something.

    What is said is written one after another. What comes first or last is what the first or last span tells.
    Of a thing asked for by yes or no, the spans with a yes decide. Otherwise every span is listed that tells
    something, those in a row with the same answer once, with their times.
    """
    informative = [one for one in answers if one.text and one.text not in REFUSALS]
    if not informative:
        return Counter(one.text for one in answers).most_common(1)[0][0], []
    if TASKS[task].writes_speech:
        return " ".join(one.text for one in informative), []
    if _LAST.search(question):
        return informative[-1].text, informative[-1:]
    if _FIRST.search(question):
        return informative[0].text, informative[:1]
    if len({one.text for one in informative}) == 1:
        return informative[0].text, []
    verdicts = [found[1] if (found := _VERDICT.match(one.text)) else None for one in informative]
    affirmative = [one for one, verdict in zip(informative, verdicts, strict=True) if verdict == _YES]
    if verdicts.count(_NO) == len(informative):
        return f"{_NO}, in none of its {len(answers)} parts.", []
    # A single "Yes" may also be what somebody says.
    if affirmative and 2 * verdicts.count(None) < len(informative):
        return _agreed(affirmative, len(answers)), affirmative
    return _lines(informative), []


def _agreed(affirmative: Sequence[SpanAnswer], count: int) -> str:
    reasons = [
        SpanAnswer(one.start, one.end, _capital(_VERDICT.sub("", one.text, 1)) or _YES) for one in affirmative
    ]
    return f"{_YES}, in {len(affirmative)} of its {count} parts:\n{_lines(reasons)}"


def _lines(answers: Sequence[SpanAnswer]) -> str:
    merged: list[SpanAnswer] = []
    for one in answers:
        if merged and merged[-1].text == one.text and merged[-1].end == one.start:
            merged[-1] = SpanAnswer(merged[-1].start, one.end, one.text)
        else:
            merged.append(one)
    return "\n".join(one.line for one in merged)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
