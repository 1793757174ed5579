"""What is prepared for one person reaches nobody else, and does not stay."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage import Feedback, open_database
from tests.serving import settings_in
from tests.ui.pages.records import record
from ui.components.export_card import prepare
from ui.server.downloads import Downloads


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    return Downloads(tmp_path / "downloads")


def offered(downloads: Downloads) -> str:
    offer = downloads.begin("a.zip")
    offer.file.write_bytes(b"content")
    downloads.offer(offer)
    return offer.key


def left(downloads: Downloads) -> list[Path]:
    return list(downloads.folder.rglob("*"))


def test_of_all_who_come_at_once_one_takes_the_file(downloads: Downloads) -> None:
    key, together = offered(downloads), threading.Barrier(8)

    def take() -> bytes | None:
        together.wait()
        taken = downloads.take(key)
        if taken is None:
            return None
        with taken[1] as file:
            return file.read()

    with ThreadPoolExecutor(8) as pool:
        got = [future.result() for future in [pool.submit(take) for _ in range(8)]]
    assert [content for content in got if content] == [b"content"]
    assert left(downloads) == []


def test_what_is_not_finished_cannot_be_taken(downloads: Downloads) -> None:
    offer = downloads.begin("a.zip")
    offer.file.write_bytes(b"half")
    assert downloads.take(offer.key) is None
    downloads.withdraw(offer)
    assert left(downloads) == []


def test_what_nobody_takes_goes_by_itself(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path / "downloads", kept=0.05)
    key = offered(downloads)
    deadline = time.monotonic() + 10
    while left(downloads) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left(downloads) == []
    assert downloads.take(key) is None


def test_a_page_that_is_closed_leaves_nothing(tmp_path: Path, downloads: Downloads) -> None:
    feedback = Feedback(open_database(settings_in(tmp_path).database_url))
    feedback.rate(feedback.record_answer(record(1), annotator="me"), "me", thumb=1)
    progress = prepare(feedback.database, downloads, "csv")
    assert "judgements read" in next(progress)
    progress.close()
    assert left(downloads) == []
