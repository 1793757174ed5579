"""Prompts for trainers that take audio: an `<audio>` tag stands where the clip belongs, and once for each
clip."""

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from storage.export.audit import Audit
from storage.export.reader import Message, Prompt

TAG = "<audio>"

_TAGS = re.compile(r"<(\s*(?:audio|image|video)\s*)>", re.IGNORECASE)

Sample = TypeVar("Sample")


def tagged(prompt: Prompt) -> list[Message]:
    """The conversation up to the answer, the clip before its first question."""
    turns = [{**message, "content": untagged(message["content"])} for message in prompt.messages]
    turns[0]["content"] = TAG + turns[0]["content"]
    return turns


def untagged(text: str) -> str:
    """The text without tags that a trainer would take for the place of a clip or picture."""
    return _TAGS.sub(r"(\1)", text)


def with_audio(samples: Iterable[tuple[Prompt, Sample]], audit: Audit) -> Iterator[tuple[Prompt, Sample]]:
    """Those whose audio is kept: the tag of the others would point nowhere."""
    for prompt, sample in samples:
        if prompt.audio:
            yield prompt, sample
        else:
            audit.dropped["no_audio"] += 1
