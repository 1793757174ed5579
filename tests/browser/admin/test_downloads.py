"""An export is prepared on the Dashboard and downloaded once."""

import io
import json
import re
import zipfile
from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect

from storage import Feedback, open_database
from tests.fake_engine import FakeEngine
from tests.serving import serve, settings_in
from tests.ui.pages.records import record


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
        assert [file for file in (tmp_path / "downloads").rglob("*") if file.is_file()] == []
        page.close()
