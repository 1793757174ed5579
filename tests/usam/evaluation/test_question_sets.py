"""Balanced questions, and the figures their answers count for."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from tests.usam.evaluation.made import make_clip
from usam.encoders.heads.asked_speech import speech_request
from usam.evaluation.clips import TestSet
from usam.evaluation.judging import different
from usam.evaluation.question_sets import balanced, presence, question_sets, things
from usam.evaluation.questions import KINDS_OF_QUESTION, Question, score


def test_yes_is_asked_as_often_as_no(clips: TestSet) -> None:
    for questions in (presence(clips.single, 3), things(clips.single)):
        always_yes = [judge("yes") for question in questions for judge in [question.judges["yes/no"]]]
        assert len(always_yes) >= 8
        assert sum(always_yes) * 2 == len(always_yes)
    assert len(presence(clips.single, 3)) == 12


def test_things_asked_for_are_there_only_when_the_answer_is_yes(clips: TestSet) -> None:
    for question in things(clips.single):
        own = (question.clip.label or "?") in question.text
        assert question.judges["yes/no"]("yes") is own


def test_related_things_are_not_asked_for() -> None:
    assert different("dog", "rain")
    assert not different("dog bark", "dog howl")
    assert not different("snare drum", "hi-hat")  # a loop may hold both


def test_balanced_takes_the_smaller_side_whole() -> None:
    there, absent = (
        [make_clip("speech", seed=i) for i in range(2)],
        [make_clip("music", seed=i) for i in range(5)],
    )
    assert len(balanced(there, absent, 1, Random(0))) == 2
    drawn_pairs = balanced(there, absent, 9, Random(0))
    assert Counter(yes for _, yes in drawn_pairs) == {True: 2, False: 2}
    assert {c for c, yes in drawn_pairs if yes} == set(there)


def test_word_errors_are_told_by_speaker(clips: TestSet) -> None:
    questions = question_sets(clips)["transcription"]
    figures = score(questions, [q.clip.transcript or "" for q in questions])
    assert {name: figure["value"] for name, figure in figures.items()} == {
        "transcription": 0,
        "transcription, digits": 0,
    }


def test_captions_have_to_name_what_is_heard(clips: TestSet) -> None:
    questions = question_sets(clips)["captions"]
    figures = score(questions, [f"A {q.clip.label}." if q.task == "aac" else "Music." for q in questions])
    assert {name: figure["value"] for name, figure in figures.items()} == {
        "caption": 0.5,
        "caption, sound": 1,
        "caption, music": 0,
    }


def test_translations_are_scored_by_language_and_nothing_is_asked_without_any(clips: TestSet) -> None:
    assert question_sets(clips)["translation"] == []
    foreign = [
        make_clip("speech", seed=40 + index, language=language, translation="the door is open")
        for index, language in enumerate(("cs", "nl"))
    ]
    questions = question_sets(replace(clips, foreign=foreign))["translation"]
    figures = score(questions, ["the door is open", "xxx", "the door is open", "the door is open"])
    assert figures["translation, Czech"]["value"] == pytest.approx(1)
    assert figures["translation, Dutch"]["value"] == 0
    assert figures["translation"]["value"] == pytest.approx(0.5)
    assert figures["translation, named in the question"]["value"] == pytest.approx(1)
    assert [speech_request("s2tt", one.text).language for one in questions] == [None, None, "cs", "nl"]


def test_speech_in_other_languages_is_written_down_with_its_language_named_and_without(
    clips: TestSet,
) -> None:
    speech = [
        make_clip("speech", seed=40 + index, language=language, transcript=words)
        for index, (language, words) in enumerate((("cs", "kůň"), ("nl", "de deur")))
    ]
    questions = question_sets(replace(clips, foreign=speech))["foreign"]
    answers = ["kůň" if speech_request(q.task, q.text).language == "cs" else "" for q in questions]
    figures = {name: figure["value"] for name, figure in score(questions, answers).items()}
    assert figures == {
        "transcription, other languages (CER)": 1,
        "transcription, Czech (CER)": 1,
        "transcription, other languages, named in the question (CER)": 0.7,
        "transcription, Czech, named in the question (CER)": 0,
        "transcription, Dutch (CER)": 1,
        "transcription, Dutch, named in the question (CER)": 1,
    }


def test_all_kinds_together_are_a_figure_only_where_all_were_asked(clips: TestSet) -> None:
    def kind(name: str, right: bool) -> Question:
        return Question(clips.single[0], "?", judges={name: lambda answer: right})

    asked = [kind(name, name != "speaker") for name in KINDS_OF_QUESTION] + [kind("mention", True)] * 9
    figures = score(asked, [""] * len(asked))
    assert figures["questions"]["value"] == pytest.approx(5 / 6)
    assert "questions" not in score(asked[1:], [""] * (len(asked) - 1))
