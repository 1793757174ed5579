"""Browse without a browser: its filters and its HTML."""

from pathlib import Path

import pytest

from storage import Feedback, open_database
from storage.answers.browse import SearchFilter, browse
from tests.serving import settings_in
from tests.ui.pages.records import HOSTILE, record
from ui.pages.browse import render
from ui.pages.browse.page import search_filter
from usam.errors import RequestError


def test_what_people_wrote_is_text(tmp_path: Path) -> None:
    feedback = Feedback(open_database(settings_in(tmp_path).database_url))
    asked = record(0, answer=HOSTILE, question=HOSTILE)
    feedback.rate(feedback.record_answer(asked, annotator="me"), "me", comment=HOSTILE, correction=HOSTILE)
    shown = render.page(browse(feedback.database, SearchFilter()))
    assert "<img" not in shown
    assert shown.count("&lt;img src=x onerror=") == 5, "the expert's name as well"


def test_filters_are_read_as_they_look() -> None:
    assert search_filter("", "", "", "", "", 0, "", "", "") == SearchFilter(thumb=0)
    days = search_filter("a", "qa", "", "", "", "", 5, "2026-01-31", " 2026-01-31 ")
    assert (days.words, days.task, days.thumb, days.score) == ("a", "qa", None, 5)
    assert days.since is not None
    assert days.until is not None
    assert (days.until - days.since).days == 1, "the last day is meant whole"
    with pytest.raises(RequestError, match="written like"):
        search_filter("", "", "", "", "", "", "", "yesterday", "")
