"""Figures and their intervals."""

import numpy as np
import pytest

from usam.evaluation.metrics import (
    character_errors,
    likeness,
    mean_of_shares,
    ratio,
    share,
    word_errors,
)


def test_word_errors_are_pooled_over_clips_not_averaged() -> None:
    found = word_errors([("a big dog", "a big dog"), ("bark", "dark ark")])
    assert found["value"] == pytest.approx(2 / 4)
    assert found["interval"][0] == 0
    assert found["interval"][1] == pytest.approx(2)
    assert found["clips"] == 2


def test_word_errors_ignore_case_and_punctuation() -> None:
    assert word_errors([("it's a dog", "It is a dog!")])["value"] == 0


def test_intervals_narrow_with_the_number_of_answers() -> None:
    few, many = (share([True, False] * n)["interval"] for n in (8, 200))
    assert few[1] - few[0] > 3 * (many[1] - many[0])


def test_a_ratio_is_that_of_the_means() -> None:
    found = ratio(np.array([1.0, 3.0]), np.array([2.0, 6.0]))
    assert found["value"] == pytest.approx(0.5)
    assert found["interval"] == pytest.approx([0.5, 0.5])


def test_a_translation_half_right_is_worth_more_than_none_and_less_than_all() -> None:
    values = [likeness([("the door is open", said)])["value"] for said in ("the floor is wet", "xxx")]
    assert 0.2 < values[0] < 0.9
    assert values[1] == 0


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [
        ("twenty three men", "23 men."),
        ("six nine two one", "6, 9, 2, 1"),
        ("six nine two one", "6921"),
        ("one hundred and five", "105"),
        ("in eighteen thirty four", "In 1834,"),
        ("one", "1"),
    ],
)
def test_word_errors_ignore_how_numbers_are_written(reference: str, hypothesis: str) -> None:
    assert word_errors([(reference, hypothesis)])["value"] == 0
    assert word_errors([(reference, hypothesis + " 7")])["value"] > 0


def test_every_kind_of_question_weighs_alike() -> None:
    found = mean_of_shares([[True] * 99 + [False], [False]])
    assert found["value"] == pytest.approx(0.495)
    assert found["interval"][1] < 0.51  # the one answer of the second kind does not come and go
    assert found["clips"] == 101


def test_character_errors_are_pooled_whatever_the_case_and_punctuation() -> None:
    found = character_errors([("Žlutý kůň.", "žlutý kún"), ("Ja!", "nej"), ("...", "x")])
    assert found["value"] == pytest.approx(5 / 11)
    assert found["clips"] == 2


def test_without_a_letter_to_compare_with_there_are_no_character_errors() -> None:
    with pytest.raises(ValueError, match="letter"):
        character_errors([("...", "x")])
