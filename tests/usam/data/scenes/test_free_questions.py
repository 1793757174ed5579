"""Questions as people ask them: the answers are true of the scene, and yes is as often right as no."""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usam.data.instructions import Instruction
from usam.data.scenes import Part
from usam.data.scenes.free_questions import (
    CASUAL,
    casual,
    choice,
    earlier,
    free_question,
    language_is,
    music_behind,
    people,
    speaker_is,
)
from usam.schema.answer import NO_MUSIC, NO_SPEECH

SPEECH = Part("speech", text="The king rides home.", speaker="woman", language="English")
MAN = Part("speech", text="Go.", speaker="man", language="Dutch")
RAIN, PIANO = Part("sound", ("rain",)), Part("music", ("piano",), tags=("slow",))
OVER_MUSIC = Part("speech", text="Go.", speaker="man", behind=("piano",), behind_kind="music")
OTHERS = ("siren", "dog", "cat", "owl")
PARTS = st.lists(st.sampled_from((SPEECH, MAN, RAIN, PIANO, OVER_MUSIC)), min_size=1, max_size=3)


def drawn(draw: object, parts: list[Part], count: int = 400) -> list[Instruction]:
    random = Random(0)
    found = [draw(parts, OTHERS, random) for _ in range(count)]  # type: ignore[operator]
    return [one for one in found if one is not None]


@settings(max_examples=200)
@given(PARTS, st.integers(0, 2**32))
def test_there_is_always_a_question_and_what_is_not_there_is_denied(parts: list[Part], seed: int) -> None:
    asked = free_question(parts, OTHERS, Random(seed))
    assert asked.question[-1] in "?."
    assert "{" not in asked.question + asked.answer
    assert asked.answer[0].isupper()
    assert asked.answer[-1] in ".!?"
    assert (asked.answer != NO_SPEECH) or all(part.kind != "speech" for part in parts)
    assert (asked.answer != NO_MUSIC) or all("music" not in (part.kind, part.behind_kind) for part in parts)


def test_who_speaks_is_as_often_denied_as_confirmed() -> None:
    asked = drawn(speaker_is, [SPEECH, RAIN])
    yes = [one for one in asked if one.answer == "Yes, a woman is speaking."]
    assert {one.answer for one in asked} == {"Yes, a woman is speaking.", "No, a woman is speaking."}
    assert abs(len(yes) - len(asked) / 2) < 4 * (len(asked) / 4) ** 0.5
    assert all(re.search(r"woman|lady|female", one.question) for one in yes)
    assert drawn(speaker_is, [SPEECH, MAN]) == []
    assert {one.answer for one in drawn(speaker_is, [RAIN])} == {NO_SPEECH}


@pytest.mark.parametrize(
    ("parts", "answers"),
    [
        ([SPEECH, RAIN], {"One: a woman."}),
        ([SPEECH, MAN], {"Two: a woman and a man."}),
        ([MAN, MAN], set()),  # one or two, nobody can tell
        ([PIANO], {NO_SPEECH}),
    ],
)
def test_voices_are_counted_where_they_differ(parts: list[Part], answers: set[str]) -> None:
    assert {one.answer for one in drawn(people, parts)} == answers


def test_the_language_is_the_one_that_is_spoken() -> None:
    for one in drawn(language_is, [MAN]):
        assert ("Dutch" in one.question) == one.answer.startswith("Yes")
        assert one.answer.endswith("the language is Dutch.")


def test_music_behind_speech_is_told_from_speech_alone() -> None:
    assert {one.answer for one in drawn(music_behind, [OVER_MUSIC])} == {
        "Yes, I hear a piano behind the speech."
    }
    assert {one.answer for one in drawn(music_behind, [SPEECH])} == {"No, I hear a woman speaking."}
    assert drawn(music_behind, [PIANO]) == []


def test_of_two_names_the_true_one_is_chosen_wherever_it_stands() -> None:
    asked = drawn(choice, [RAIN])
    assert {one.answer for one in asked} == {"I hear rain."}
    first = sum(re.match(r"\D*?\brain\b.* or ", one.question) is not None for one in asked)
    assert abs(first - len(asked) / 2) < 4 * (len(asked) / 4) ** 0.5
    assert drawn(choice, [SPEECH]) == []


def test_what_comes_earlier_is_true() -> None:
    asked = drawn(earlier, [RAIN, PIANO])
    for one in asked:
        rain, piano = (
            min(one.question.find(word) for word in words if word in one.question)
            for words in (("rain", "sound"), ("piano", "music"))
        )
        if one.answer.startswith(("Yes", "No")):
            assert one.answer.startswith("Yes") == (rain < piano)
            assert re.search(r"the (rain|sound) comes before the (piano|music)", one.answer)
        else:
            late = "last" in one.question or "later" in one.question
            assert re.fullmatch("The (piano|music)." if late else "The (rain|sound).", one.answer)
    assert drawn(earlier, [RAIN]) == []


def test_some_type_in_a_hurry() -> None:
    random = Random(0)
    typed = [casual("Is it rain?", random) for _ in range(1_000)]
    assert set(typed) == {"Is it rain?", "is it rain"}
    assert typed.count("is it rain") == pytest.approx(1_000 * CASUAL, abs=50)
