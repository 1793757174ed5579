"""The main page's span of a clip, and its HTML."""

import pytest

from ui.components import messages
from ui.engines.loader import LoadState
from ui.pages.ask import render
from ui.pages.ask.clip import ChosenClip
from usam.schema.answer import Turn


@pytest.mark.parametrize(
    ("start", "length", "duration", "expected"),
    [
        (5.0, 10.0, 20.0, (None, None)),
        (5.0, 10.0, 60.0, (5.0, 15.0)),
        (55.0, 30.0, 60.0, (55.0, 60.0)),
        (99.0, 30.0, 60.0, (59.8, 60.0)),
    ],
)
def test_the_sliders_count_only_for_long_clips(
    start: float, length: float, duration: float, expected: tuple[float | None, float | None]
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
