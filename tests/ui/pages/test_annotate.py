"""What the Annotate page says in its own HTML."""

from storage.annotation.queue import QueueCounts
from ui.pages.annotate import render


def test_a_count_that_stopped_says_so() -> None:
    assert "<b>12,000</b> left" in render.progress(QueueCounts(1, 0, 0, 12_000))
    assert "more than" not in render.progress(QueueCounts(1, 0, 0, 12_000))
    assert "more than <b>10,000</b> left" in render.progress(QueueCounts(1, 0, 0, 10_000, more=True))
