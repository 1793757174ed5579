"""Answers about the spans of a recording become one that contradicts none of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usam.engine.span_answers import combined
from usam.schema.answer import NO_SPEECH, REFUSALS, UNTOLD
from usam.schema.recording_answer import SpanAnswer


def spans(*texts: str) -> list[SpanAnswer]:
    return [SpanAnswer(20.0 * at, 20.0 * (at + 1), text) for at, text in enumerate(texts)]


def test_one_yes_among_many_noes_is_a_yes_and_says_where() -> None:
    answers = spans("No, I hear a man speaking.", "Yes, I hear a flute.", "No, I hear rain.")
    text, supporting = combined("Is there music?", "qa", answers)
    assert text == "Yes, in 1 of its 3 parts:\n0:20 to 0:40: I hear a flute."
    assert supporting == [answers[1]]


def test_a_yes_that_somebody_says_decides_nothing() -> None:
    text, _ = combined("What is said?", "qa", spans("Are you there?", "Yes.", "Then come in."))
    assert text.split("\n")[1] == "0:20 to 0:40: Yes."


def test_noes_alone_are_a_no() -> None:
    text, supporting = combined(
        "Is there a dog?", "qa", spans("No, I hear a man.", UNTOLD, "No, I hear rain.")
    )
    assert (text, supporting) == ("No, in none of its 3 parts.", [])
    assert combined("Is there a dog?", "qa", spans("No.", "No."))[0] == "No."


def test_the_same_yes_everywhere_is_said_once() -> None:
    assert combined("Is it speech?", "qa", spans(*["Yes, I hear a man."] * 3))[0] == "Yes, I hear a man."


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What comes first?", "A man speaks."),
        ("What is heard at the beginning?", "A man speaks."),
        ("What comes last?", "A dog barks."),
        ("How does it sound at the end?", "A dog barks."),
    ],
)
def test_order_is_that_of_the_spans_that_tell_something(question: str, expected: str) -> None:
    answers = spans(NO_SPEECH, "A man speaks.", "Rain falls.", "A dog barks.", UNTOLD)
    text, supporting = combined(question, "qa", answers)
    assert text == expected
    assert [one.text for one in supporting] == [expected]


def test_how_long_something_lasts_is_no_question_of_order() -> None:
    answers = spans("A man speaks.", "Rain falls.")
    assert combined("How long does it last?", "qa", answers)[0].count("\n") == 1


def test_what_is_said_is_written_on() -> None:
    answers = spans("It was a dark", NO_SPEECH, "and stormy night.")
    assert combined("Write down what is said.", "asr", answers)[0] == "It was a dark and stormy night."


def test_what_no_span_tells_is_not_told() -> None:
    assert combined("Who wrote it?", "qa", spans(UNTOLD, UNTOLD, NO_SPEECH)) == (UNTOLD, [])


def test_neighbours_with_the_same_answer_are_one_line() -> None:
    answers = spans(
        "A man is speaking.", "A man is speaking.", UNTOLD, "A man is speaking.", "A woman is speaking."
    )
    assert combined("Who is speaking?", "qa", answers)[0].split("\n") == [
        "0:00 to 0:40: A man is speaking.",
        "1:00 to 1:20: A man is speaking.",
        "1:20 to 1:40: A woman is speaking.",
    ]
    assert combined("Who is speaking?", "qa", answers[:4])[0] == "A man is speaking."


@given(
    st.lists(
        st.sampled_from(["Yes.", "Yes, rain.", "No, a dog.", "A dog barks.", "", *REFUSALS]), min_size=1
    ),
    st.sampled_from(["What is it?", "Is it rain?", "What comes last?", "What comes first?"]),
    st.sampled_from(["qa", "asr", "aac"]),
)
def test_it_says_only_what_spans_say(texts: list[str], question: str, task: str) -> None:
    answers = spans(*texts)
    text, supporting = combined(question, task, answers)
    assert all(one in answers for one in supporting)
    informative = [one for one in texts if one and one not in REFUSALS]
    if not informative:
        assert text in texts
    elif task != "asr" and all(one.startswith("No") for one in informative):
        assert not text.startswith("Yes")
    else:
        assert any(one.removeprefix("Yes, ").rstrip(".").lower() in text.lower() for one in informative)
