"""Prompts for trainers that hear: an `<audio>` tag stands where the clip belongs, and once for each clip."""

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from storage.export.audit import Audit
from storage.export.reader import Asked, Message

TAG = "<audio>"

_TAGS = re.compile(r"<(\s*(?:audio|image|video)\s*)>", re.IGNORECASE)

Sample = TypeVar("Sample")


def tagged(asked: Asked) -> list[Message]:
    """The conversation up to the answer, the clip before its first question."""
    turns = [{**message, "content": untagged(message["content"])} for message in asked.messages]
    turns[0]["content"] = TAG + turns[0]["content"]
    return turns


def untagged(text: str) -> str:
    """The text without what a trainer would take for the place of a clip or picture."""
    return _TAGS.sub(r"(\1)", text)


def heard(samples: Iterable[tuple[Asked, Sample]], audit: Audit) -> Iterator[tuple[Asked, Sample]]:
    """Those whose audio is kept: the tag of the others would point nowhere."""
    for asked, sample in samples:
        if asked.audio:
            yield asked, sample
        else:
            audit.dropped["no_audio"] += 1
