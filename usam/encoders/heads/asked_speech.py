"""What a question asks of speech: its words or their translation, and the language it says they are in.

Whisper takes short lines of Dutch for English, and of Czech for Polish. Where a person knows better and says
so, it writes them down in that language.
"""

import re
from functools import cache

from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

from usam.schema.tasks import TASKS, SpeechRequest, speech_task

_WRITING = re.compile(
    r"\b(transcri\w+|transla\w+|write|written|spell\w*|(said|says?|saying|spoken) in)\b", re.IGNORECASE
)
_YES_OR_NO = re.compile(r"(is|are|was|were|does|do|did|can|could|has|have)\b.*\?$", re.IGNORECASE)
_REQUESTED = re.compile(r"(can|could) you\b", re.IGNORECASE)


def speech_request(task: str, question: str) -> SpeechRequest:
    """What a question needs of speech under a task. The language is known where one alone is named, and it is
    neither asked for nor translated into."""
    wanted = speech_task(task, question)
    return SpeechRequest(wanted, _language(task, question) if wanted == "transcribe" else _source(question))


def _language(task: str, question: str) -> str | None:
    """The language that a question wants speech written down in."""
    asked = _YES_OR_NO.match(question) and not _REQUESTED.match(question)
    if asked or not (TASKS[task].writes_speech or _WRITING.search(question)):
        return None
    named = {TO_LANGUAGE_CODE[name.lower()] for name in _names().findall(question)}
    return named.pop() if len(named) == 1 else None


def _source(question: str) -> str | None:
    """The language that is to be translated into English."""
    named = {TO_LANGUAGE_CODE[name.lower()] for name in _names().findall(question)} - {"en"}
    return named.pop() if len(named) == 1 else None


@cache
def _names() -> re.Pattern[str]:
    """Names of languages, but for those that follow "into"."""
    names = sorted(TO_LANGUAGE_CODE, key=len, reverse=True)
    return re.compile(rf"(?<!\binto )\b({'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
