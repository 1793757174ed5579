"""The tasks of the paper, and what may be asked. Light to import: the page needs it before the model."""

import re
from dataclasses import dataclass
from typing import Literal

from usam.errors import RequestError

MAX_QUESTION = 500  # characters; the LLM was trained on short questions
TOKENS_A_SECOND = 16  # of speech written down: Czech and Russian take five times the tokens of English
SPARE_TOKENS = 24


SpeechTask = Literal["transcribe", "translate"]
"""What is done with speech: written down in its language, or translated into English."""
_TRANSLATING = re.compile(r"\b(translat\w*|in(to)? english)\b", re.IGNORECASE)


@dataclass(frozen=True)
class SpeechRequest:
    """What is wanted of speech. language: Whisper's code of that which is spoken, if it was said."""

    task: SpeechTask = "transcribe"
    language: str | None = None

    @property
    def key(self) -> str:
        """Names what was computed for it."""
        return self.task if self.language is None else f"{self.task} {self.language}"


@dataclass(frozen=True)
class Task:
    """A task of the paper: the label a person sees, the prompt used when they type no question, and how many
    hypotheses of an answer are kept while it is written; what it needs of speech, its words or their
    translation, and whether the answer is nothing else. A transcript has one right answer to search for."""

    label: str
    prompt: str
    beams: int = 1
    speech: SpeechTask = "transcribe"
    writes_speech: bool = False

    def most_tokens(self, wanted: int, seconds: float) -> int:
        """Of the wanted tokens, as many as what is said in so many seconds can fill."""
        return min(wanted, int(seconds * TOKENS_A_SECOND) + SPARE_TOKENS) if self.writes_speech else wanted


TASKS: dict[str, Task] = {
    "qa": Task("Ask", "What do you hear?"),
    "asr": Task("Transcribe", "Write down what is said.", beams=6, writes_speech=True),
    "s2tt": Task(
        "Translate", "Translate the speech into English.", beams=6, speech="translate", writes_speech=True
    ),
    "aac": Task("Describe sound", "Describe the sound."),
    "mc": Task("Describe music", "Describe the music."),
}


def speech_task(task: str, question: str) -> SpeechTask:
    """What a question needs of speech; one that asks for a translation gets it under any task."""
    return "translate" if _TRANSLATING.search(question) else TASKS[task].speech


def check_question(question: str | None, task: str) -> str:
    """The question to ask. Raises RequestError for an unknown task or a question that cannot be answered."""
    if not isinstance(task, str) or task not in TASKS:
        raise RequestError(f"There is no task called {task!r}. Choose one of {', '.join(TASKS)}.")
    text = " ".join((question or "").split()) or TASKS[task].prompt
    if len(text) > MAX_QUESTION:
        raise RequestError(f"The question is too long: {len(text)} characters, at most {MAX_QUESTION}.")
    return check_text("question", text)


def check_text(name: str, text: str) -> str:
    """The text, of a `name` to show. Raises RequestError for a lone surrogate, which JSON can carry and no
    tokenizer can read."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(f"The {name} holds an incomplete character. Type it again.") from error
    return text
