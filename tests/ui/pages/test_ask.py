"""The main page's span of a clip, its suggestions, and its HTML."""

import pytest

from ui.components import messages
from ui.engines.loader import LoadState
from ui.examples import EXAMPLES
from ui.pages.ask import render
from ui.pages.ask.clip import ChosenClip
from ui.pages.ask.question import SUGGESTIONS
from usam.schema.answer import Turn
from usam.schema.tasks import TASKS, check_question


@pytest.mark.parametrize(
    ("start", "length", "duration", "expected"),
    [
        (5.0, 10.0, 20.0, (None, None)),
        (5.0, 10.0, 60.0, (5.0, 15.0)),
        (55.0, 30.0, 60.0, (55.0, 60.0)),
        (99.0, 30.0, 60.0, (59.0, 60.0)),
        (5.0, 99.0, 60.0, (5.0, 35.0)),
        (-5.0, 0.0, 60.0, (0.0, 1.0)),
        (None, None, 60.0, (0.0, 30.0)),
    ],
)
def test_the_region_counts_only_for_long_clips_and_stays_within_them(
    start: float | None, length: float | None, duration: float, expected: tuple[float | None, float | None]
) -> None:
    assert ChosenClip("clip", duration).span(start, length, 30.0) == expected


def test_text_from_people_and_model_is_escaped() -> None:
    page = render.thread([Turn("<i>q</i>", "<i>a</i>")], "<script>", "<b>bold</b>")
    assert "<i>" not in page
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<img" not in messages.fault("<img src=x>")
    assert "<u>" not in render.banner(LoadState("<u>step</u>", 0.1))


def test_every_kind_of_clip_has_questions_that_can_be_asked() -> None:
    assert set(EXAMPLES) <= set(SUGGESTIONS)
    for offered in SUGGESTIONS.values():
        for one in offered:
            assert check_question(one.text, one.task)
            assert "Translate" not in TASKS[one.task].label, "what the model can hardly do is not suggested"


def test_the_example_in_the_player_is_marked_and_no_other_clip() -> None:
    examples = [example for kind in EXAMPLES.values() for example in kind]
    assert len({render.example_mark(f"uploads/{example.file}") for example in examples}) == len(examples)
    assert render.example_mark("uploads/my.wav") == render.example_mark("") == ""
