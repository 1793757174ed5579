"""The Dashboard without a browser: its cards, its cache, the audit of an export."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from storage import Feedback, open_database
from storage.annotation.repeats import Repeats
from storage.annotation.token_verdicts import TokenVerdicts
from storage.export import FORMATS, export
from storage.replicas.prepared_files import PreparedFiles
from tests.serving import settings_in
from tests.ui.pages.records import HOSTILE, record
from ui.components.export_card import REASONS, prepare
from ui.pages.dashboard.cards import dashboard
from ui.pages.dashboard.charts import strengths
from ui.pages.dashboard.page import DashboardCache
from ui.server.downloads import Downloads


@pytest.fixture
def feedback(tmp_path: Path) -> Feedback:
    """Twelve answers, those of the first expert good, judged by two who agree; six comparisons."""
    feedback = Feedback(open_database(settings_in(tmp_path).database_url))
    ids = [feedback.record_answer(record(n), annotator="asker") for n in range(12)]
    for number, answer in enumerate(ids):
        for person in ("me", "you"):
            feedback.rate(answer, person, thumb=1 if number % 2 else -1, score=number % 5 + 1)
    for even, odd in zip(ids[::2], ids[1::2], strict=True):
        feedback.compare(even, odd, "me", "b")
    return feedback


def test_the_board_says_what_is_in_the_database(feedback: Feedback) -> None:
    board = dashboard(feedback)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", board))
    assert "Ratings 24 Good 50% Mean score" in text
    assert text.count("n = 12") >= 2, "both experts were judged twelve times"
    assert "Thumb 12 2 1.00 1.00 to 1.00" in text
    assert "left side 6" in text
    for strength in ("f00d · nf4 · greedy", "f00d · nf4 · temperature 0.7"):
        assert strength in text


def test_figures_are_split_by_checkpoint(feedback: Feedback) -> None:
    other = record(3)["model"] | {"fingerprint": "beef" * 4}
    answer = feedback.record_answer(record(30, model=other), annotator="asker")
    for person in ("me", "you", "she"):
        feedback.rate(answer, person, thumb=1, score=4)
    board = dashboard(feedback, names={"beef" * 4: HOSTILE})
    assert "<img" not in board
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", dashboard(feedback, names={"beef" * 4: "tuned-1"})))
    assert "f00d 24 50% 31%–69% 24" in text
    assert "tuned-1 (beefbeef) 3 100% 44%–100% 3 4.00 4.00 to 4.00" in text
    assert text.count("Dominant expert") == 2, "of each by itself"


def test_the_board_tells_own_consistency_and_the_precision_of_flags(feedback: Feedback) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", dashboard(feedback)))
    assert "No answer has been judged twice" in text
    assert "No token has been judged by ear yet" in text
    scored = {"start": 0.0, "end": 0.1, "significance": 0.2, "routing": [0.5, 0.5], "redundant": True}
    answer = feedback.record_answer(record(20, tokens=[scored] * 4), annotator="asker")
    TokenVerdicts(feedback.database).judge(
        answer, "me", {0: "did_not", 1: "did_not", 2: "mattered", 3: "unclear"}
    )
    feedback.rate(answer, "me", thumb=1, score=3)
    Repeats(feedback.database).rate_again(answer, "me", thumb=1, score=4)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", dashboard(feedback)))
    assert "Thumb 1 1 100% 21%–100%" in text
    assert "Score 1 1 0% 0%–79% 100%" in text
    assert "Checkpoint f00d , 1 more unclear" in text
    assert "Did not matter 95 % flagged 3 1 1 67% 21%–94%" in text


def test_names_are_text_and_colours_are_the_pages(feedback: Feedback) -> None:
    board = dashboard(feedback)
    assert "<img" not in board
    drawings = re.findall(r"<svg .*?</svg>", board, re.DOTALL)
    assert len(drawings) == 4
    words = [
        "".join(text.itertext())
        for drawing in drawings
        for text in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert HOSTILE in words
    assert "var(--accent)" in board
    assert not re.search(r"#0[0-9]0[0-9]0[0-9]\b", board), "no placeholder is left"
    ids = re.findall(r'<clipPath id="([^"]+)"', board)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("format", list(FORMATS))
def test_the_audit_says_what_an_export_then_does(feedback: Feedback, tmp_path: Path, format: str) -> None:
    *_, shown = prepare(feedback.database, Downloads(PreparedFiles(feedback.database)), format)
    done = export(feedback.database, format, tmp_path / "out")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown))
    assert f"Download usam-{format}-" in text
    for name, count in {**+done.read, **+done.rows}.items():
        assert f"{name} {count:,}" in text
    for reason, count in (+done.dropped).items():
        assert f"{REASONS[reason]} {count:,}" in text
    if format == "kto":
        assert "6 desirable and 6 undesirable" in text
    if format == "dpo":
        assert "The left side won" in text


def test_the_last_drawing_is_shown_with_its_age_until_there_is_a_new_one(
    feedback: Feedback, tmp_path: Path
) -> None:
    studio = SimpleNamespace(
        feedback=feedback, settings=SimpleNamespace(dimensions=()), promotion=SimpleNamespace(names=dict)
    )
    cache = DashboardCache(studio)  # type: ignore[arg-type]
    (first,) = cache.drawings()
    feedback.rate(feedback.record_answer(record(99), annotator="me"), "me", thumb=1)
    old, new = cache.drawings()
    assert re.search(r"As of \d+ s ago", old)
    assert old.endswith(first)
    assert "Ratings</dt><dd>25" in new
    assert "ago" not in new


def test_one_vote_is_one() -> None:
    table = pd.DataFrame(
        {"contestant": ["a", "b"], "votes": [1, 2], "strength": [0.1, 0.2], "low": [0, 0], "high": [1, 1]}
    )
    drawn = strengths(table)
    assert re.search(r">\s*1 vote\s*<", drawn)
    assert re.search(r">\s*2 votes\s*<", drawn)
