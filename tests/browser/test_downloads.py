"""What is prepared for one person reaches nobody else, and does not stay."""

import io
import json
import re
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from storage import Feedback, open_database
from tests.browser.fake_engine import FakeEngine
from tests.browser.pages import serve, settings_in
from tests.ui.pages.records import record
from ui.pages.dashboard.export_card import prepare
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


def test_the_page_shows_the_audit_and_then_hands_the_file_over_once(browser: Browser, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, dashboard_password="sesame")
    feedback = Feedback(open_database(settings.database_url))
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    answer = feedback.record_answer(record(1), annotator="me", audio_path=str(clip))
    feedback.rate(answer, "me", thumb=-1, correction="better")
    leftover = tmp_path / "downloads" / "old" / "file"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"of an earlier run")
    with serve(settings, lambda progress: FakeEngine()) as url:  # type: ignore[arg-type, return-value]
        assert not leftover.exists()
        page = browser.new_page()
        expect.set_options(timeout=45_000)
        page.goto(f"{url}dashboard")
        page.get_by_label("Password").fill("sesame")
        page.locator("#prepare").click()
        expect(page.locator("#prepared")).to_contain_text("The preferred text is the longer one")
        key = page.locator("#prepared input[name=key]").get_attribute("value")
        assert httpx.post(f"{url}download", data={"key": f"{key}x"}).status_code == 404
        assert httpx.get(f"{url}download", params={"key": key}).status_code == 405
        with page.expect_download() as saved:
            page.get_by_role("button", name=re.compile("Download usam-dpo")).click()
        assert re.fullmatch(r"usam-dpo-\d{8}\.zip", saved.value.suggested_filename)
        with zipfile.ZipFile(io.BytesIO(saved.value.path().read_bytes())) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".jsonl"))
            row = json.loads(archive.read(name))
            assert row["chosen"][0]["content"] == "better"
            assert archive.read(row["audios"][0]) == b"RIFF"
            assert json.loads(archive.read("audit.json"))["annotators"]["count"] == 1
        expect(page.get_by_role("button", name=re.compile("Download usam-dpo"))).to_be_disabled()
        assert httpx.post(f"{url}download", data={"key": key}).status_code == 404
        assert list((tmp_path / "downloads").rglob("*")) == []
        page.close()
