"""Questions in other words than training's, with judges that the right answers satisfy."""

from collections import defaultdict
from dataclasses import replace

import pytest

from tests.usam.evaluation.made import make_clip
from usam.data import instructions
from usam.data.scenes import wordings
from usam.evaluation import free_questions
from usam.evaluation.clips import TestSet, joined
from usam.evaluation.free_questions import FIGURE
from usam.evaluation.judging import chooses, counts_one, names_no_instrument


def texts(module: object) -> set[str]:
    """Every string in the module's tuples."""
    tuples = [value for value in vars(module).values() if isinstance(value, tuple)]
    return {text for value in tuples for text in value if isinstance(text, str) and text.endswith(("?", "."))}


def test_no_training_asks_in_these_words() -> None:
    assert len(texts(free_questions)) > 10
    assert not texts(free_questions) & (texts(wordings) | texts(instructions))


def test_yes_is_right_as_often_as_no(clips: TestSet) -> None:
    people = [make_clip("speech", seed=i, speaker=("man", "woman")[i % 2]) for i in range(8)]
    parts = (make_clip("speech"), make_clip("sound", label="dog"), make_clip("music", label="piano"))
    rows = [joined(parts), joined(parts[::-1])] * 4
    clips = replace(clips, speakers=people, sentences=people, composites=rows)
    yes: dict[str, list[bool]] = defaultdict(list)
    for question in free_questions.free_questions(clips):
        [sort] = [name for name in question.judges if name != FIGURE]
        judge = question.judges[sort]
        if judge("yes") != judge("no"):
            yes[sort].append(judge("yes"))
    assert len(yes) >= 4
    for sort, answers in yes.items():
        assert abs(sum(answers) - len(answers) / 2) <= 1, sort


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("I hear a dog.", True),
        ("A dog or a cat.", False),
        ("I hear a cat.", False),
        ("Nothing can be heard.", False),
    ],
)
def test_chooses(answer: str, right: bool) -> None:
    assert chooses(answer, "dog barking", "cat") is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("No music can be heard.", True),
        ("No instrument plays.", True),
        ("I hear rain.", True),
        ("I hear a violin.", False),
        ("Music plays.", False),
    ],
)
def test_names_no_instrument(answer: str, right: bool) -> None:
    assert names_no_instrument(answer) is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("One: a man.", True),
        ("A man says: two and two.", True),
        ("Two: a man and a woman.", False),
        ("The clip does not tell.", False),
        ("Several people.", False),
    ],
)
def test_counts_one(answer: str, right: bool) -> None:
    assert counts_one(answer) is right
