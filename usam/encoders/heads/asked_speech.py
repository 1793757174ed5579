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
    named = {TO_LANGUAGE_CODE[name.lower()] for name in _names().findall(question)}
    if wanted == "translate":
        named.discard("en")
    elif not _writes_down(task, question):
        named.clear()
    return SpeechRequest(wanted, named.pop() if len(named) == 1 else None)


def _writes_down(task: str, question: str) -> bool:
    """Whether speech is to be written down, so that a language that is named is not what is asked for."""
    if _YES_OR_NO.match(question) and not _REQUESTED.match(question):
        return False
    return TASKS[task].writes_speech or bool(_WRITING.search(question))


@cache
def _names() -> re.Pattern[str]:
    """Names of languages, but for those that follow "into"."""
    names = sorted(TO_LANGUAGE_CODE, key=len, reverse=True)
    return re.compile(rf"(?<!\binto )\b({'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
