"""A question about a test clip, which figures its answer counts for, and those figures of many answers."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from usam.evaluation.clips import TestClip
from usam.evaluation.metrics import Figure, character_errors, likeness, mean_of_shares, share, word_errors

Judge = Callable[[str], bool]

TRANSCRIPT_TOKENS = 128
NAME_TOKENS = 32  # twelve words, of which the judges read no more
YES_NO_TOKENS = 8

ALL_KINDS = "questions"
"""The figure of all kinds of questions together: the mean of these, however many answers each has."""
KINDS_OF_QUESTION = (
    "speaker",
    "language named",
    "order",
    "mention",
    "yes/no, named thing",
    "does not tell",
)


@dataclass(frozen=True)
class Question:
    """One question about one clip, decoded as its `task` is in the app.

    judges: for each figure it counts for, whether an answer is right. transcribed: the figures that take
    the answer's word errors against the clip's transcript instead; spelled: those that take its errors by
    character; translated: those that take its likeness to the clip's translation.
    """

    clip: TestClip
    text: str
    max_new_tokens: int = NAME_TOKENS
    judges: Mapping[str, Judge] = field(default_factory=dict)
    transcribed: Sequence[str] = ()
    spelled: Sequence[str] = ()
    translated: Sequence[str] = ()
    task: str = "qa"


def score(questions: Sequence[Question], answers: Sequence[str]) -> dict[str, Figure]:
    """Every figure the questions count for, in their order, then all kinds together where all were asked."""
    figures: dict[str, Callable[[], Figure]] = {}
    hits: dict[str, list[bool]] = defaultdict(list)
    spoken: dict[str, list[tuple[str, str]]] = defaultdict(list)
    written: dict[str, list[tuple[str, str]]] = defaultdict(list)
    meant: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for question, answer in zip(questions, answers, strict=True):
        for name, judge in question.judges.items():
            hits[name].append(judge(answer))
            figures.setdefault(name, partial(share, hits[name]))
        for name in question.transcribed:
            spoken[name].append((question.clip.transcript or "", answer))
            figures.setdefault(name, partial(word_errors, spoken[name]))
        for name in question.spelled:
            written[name].append((question.clip.transcript or "", answer))
            figures.setdefault(name, partial(character_errors, written[name]))
        for name in question.translated:
            meant[name].append((question.clip.translation or "", answer))
            figures.setdefault(name, partial(likeness, meant[name]))
    if all(name in hits for name in KINDS_OF_QUESTION):
        figures[ALL_KINDS] = partial(mean_of_shares, [hits[name] for name in KINDS_OF_QUESTION])
    return {name: figure() for name, figure in figures.items()}
