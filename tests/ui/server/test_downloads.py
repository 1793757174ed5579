"""What is prepared for one person reaches nobody else, and does not stay."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage import Feedback, open_database
from storage.replicas.prepared_files import PreparedFiles
from tests.serving import settings_in
from tests.ui.pages.records import record
from ui.components.export_card import prepare
from ui.server.downloads import Downloads


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    return downloads_in(tmp_path)


def downloads_in(folder: Path, **options: float) -> Downloads:
    database = open_database(settings_in(folder).database_url)
    return Downloads(PreparedFiles(database), **options)


def offered(downloads: Downloads) -> str:
    offer = downloads.begin("a.zip")
    offer.file.write_bytes(b"content")
    downloads.offer(offer)
    downloads.withdraw(offer)
    return offer.key


def left(downloads: Downloads) -> list[Path]:
    prepared = downloads.prepared.database.folder / "downloads"
    return [*downloads.folder.rglob("*"), *prepared.rglob("*")]


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
    downloads = downloads_in(tmp_path, kept=0.05)
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


def test_what_one_process_prepared_is_taken_at_another_and_survives_its_start(tmp_path: Path) -> None:
    here, there = downloads_in(tmp_path), downloads_in(tmp_path)
    (tmp_path / "downloads" / "0a1b").mkdir(parents=True)
    (tmp_path / "downloads" / "0a1b" / "file").write_text("of an earlier version")
    key = offered(here)
    there.clean_all()
    assert [file.read_bytes() for file in (tmp_path / "downloads").rglob("*") if file.is_file()] == [
        b"content"
    ]
    taken = there.take(key)
    assert taken is not None
    with taken[1] as file:
        assert (taken[0], file.read()) == ("a.zip", b"content")
    assert here.take(key) is None
