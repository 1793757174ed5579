"""Questions and answers that are made from labels."""

from random import Random

import pytest

from usam.data.instructions import Instructor, article, candidates, either


def test_other_names_are_offered_once_each() -> None:
    assert candidates("Barking dog", ["dog", "wolf howl", "howling", "owl"]) == [
        "barking dog",
        "wolf howl",
        "owl",
    ]
    assert candidates(None, ["techno", "drum machine"]) == ["techno", "drum machine"]
    assert either(["rain"]) == "rain"
    assert either(["rain", "wind", "a stream"]) == "rain, or perhaps wind or a stream"


@pytest.mark.parametrize(
    ("label", "said"), [("dog", "a dog"), ("owl", "an owl"), ("keys", "keys"), ("heavy rain", "heavy rain")]
)
def test_articles_are_left_out_where_nobody_says_them(label: str, said: str) -> None:
    assert article(label) == said


def test_named_questions_are_answered_yes_as_often_as_no_and_truly() -> None:
    instructor, random = Instructor({"sound": ["rain", "owl", "barking dog"], "music": ["oboe"]}), Random(0)
    drawn = [instructor.yes_no("sound", ["dog", "wolf"], random) for _ in range(600)]
    named = [i for i in drawn if "dog" in i.question or "owl" in i.question or "rain" in i.question]
    yes = [i for i in named if i.answer.startswith("Yes")]
    assert 0.4 < len(yes) / len(named) < 0.6
    assert all(("dog" in i.question) == (i in yes) for i in named)
    assert not any("oboe" in i.question for i in drawn)
