"""Questions about what a clip holds: right answers count, wrong ones do not, and a habit is not enough."""

import re
from collections import Counter

import pytest

from tests.usam.evaluation.made import make_clip
from usam.evaluation.clips import TestClip, joined
from usam.evaluation.content_questions import languages, mention, order, speakers, untold
from usam.evaluation.questions import Question, score


def values(questions: list[Question], answers: list[str]) -> dict[str, float]:
    return {name: figure["value"] for name, figure in score(questions, answers).items()}


def spoken(count: int, seed: int, **truth: str) -> list[TestClip]:
    return [make_clip("speech", 1.2, seed + index, **truth) for index in range(count)]


def test_men_and_women_are_asked_about_equally_often() -> None:
    clips = spoken(5, 0, speaker="man") + spoken(3, 10, speaker="woman") + spoken(2, 20, speaker="child")
    questions = speakers(clips)
    right = [f"A {question.clip.speaker} is speaking." for question in questions]
    assert values(questions, right) == {
        "speaker": 1, "speaker, man": 1, "speaker, woman": 1, "man, woman or child": 1
    }  # fmt: skip
    habit = values(questions, ["A man is speaking."] * len(questions))
    assert habit["speaker"] == 0.5
    assert habit["man, woman or child"] == pytest.approx(1 / 3)
    assert values(questions, ["A man or a woman."] * len(questions))["speaker"] == 0
    assert len({q.text for q in questions}) == 3


def test_without_children_adults_are_asked_about_alone() -> None:
    questions = speakers(spoken(2, 0, speaker="man") + spoken(2, 10, speaker="woman"))
    assert {name for q in questions for name in q.judges} == {"speaker", "speaker, man", "speaker, woman"}


def test_languages_are_judged_by_their_names() -> None:
    clips = spoken(2, 0) + spoken(2, 10, language="cs") + [make_clip("speech", 0.3, 20, language="nl")]
    questions = languages(clips)
    assert values(questions, ["This is English."] * len(questions)) == {
        "language named": 0.5, "language named, English": 1, "language named, Czech": 0
    }  # fmt: skip


PARTS = [
    make_clip("speech", 1.0, 1, transcript="a dog"),
    make_clip("sound", 0.5, 2, label="dog bark"),
    make_clip("music", 0.8, 3, label="flute"),
]
SPOKEN_OF = {"speech": "A man says: a dog.", "sound": "A dog is heard.", "music": "A trumpet plays."}


def test_first_last_and_after_are_parts_in_their_order() -> None:
    clips = [joined(PARTS), joined(PARTS[::-1])]
    questions = order(clips)
    assert [q.text for q in questions if "after" in q.text] == [
        "What comes after the speech?",
        "What comes after the dog bark?",
    ]
    truth = ["speech", "music", "sound", "music", "speech", "speech"]
    assert values(questions, [SPOKEN_OF[kind] for kind in truth]) == {
        "order": 1, "order, first": 1, "order, last": 1, "order, after": 1
    }  # fmt: skip
    assert values(questions, [SPOKEN_OF["speech"]] * 6)["order"] == 0.5
    everything = "Someone speaks, a dog barks, a flute plays."
    assert values(questions, [everything] * 6)["order"] == 0


def test_words_asked_for_are_said_as_often_as_not() -> None:
    texts = ["open the window please", "three green bottles", "rivers carry water", "yesterday morning"]
    clips = [make_clip("speech", 1.0, i, transcript=text) for i, text in enumerate(texts)]
    questions = mention(clips)
    assert len(questions) == 4
    for question in questions:
        asked = set(re.findall(r"\w+", question.text)) - {"mention"}
        [word] = asked & {word for text in texts for word in text.split() if len(word) > 3}
        assert question.judges["mention"]("Yes.") is (word in (question.clip.transcript or "").split())
    assert values(questions, ["Yes."] * 4) == {"mention": 0.5}


def test_what_no_clip_tells_is_about_the_speaker_only_of_speech() -> None:
    clips = [*spoken(4, 0), make_clip("sound", label="dog bark"), make_clip("music", label="flute")]
    questions = untold(clips)
    about = Counter((*question.clip.kinds, "speaker" in question.text) for question in questions)
    assert about == {("speech", True): 2, ("speech", False): 2, ("sound", False): 1, ("music", False): 1}
    assert len({question.text for question in questions}) >= 4
    assert values(questions, ["The clip does not tell."] * 6)["does not tell"] == 1
    assert values(questions, ["A dog barks and a flute plays."] * 6)["does not tell"] == 0
