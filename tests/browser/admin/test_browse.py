"""The Browse page: found by its filters, opened by its link, closed to everybody else."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from storage import Feedback, open_database
from tests.fake_engine import FakeEngine
from tests.serving import serve, settings_in
from tests.ui.pages.records import record

TOKEN = {
    "start": 0.0, "end": 1.0, "window": 0, "routing": [0.5, 0.5], "significance": 0.5, "predictive": 0.5,
    "text_relevance": 0.5, "audio_saliency": 0.5, "redundant": False,
}  # fmt: skip
WHOLE = {
    "supervised_by": "question",
    "timings": {
        "load_s": 1.0, "decode_s": 0.1, "encode_s": 0.1, "first_token_s": 0.1, "tokens_per_s": 9.0,
        "answer_tokens": 3,
    },
    "model": {
        "preset": "mini", "fingerprint": "f00d", "quantization": "nf4", "device": "cpu", "parameters": 1,
        "memory_mb": 1.0, "reason": "",
    },
}  # fmt: skip


def test_answers_are_found_paged_and_opened(browser: Browser, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, dashboard_password="sesame")
    feedback = Feedback(open_database(settings.database_url))
    for number in range(21):
        asked = record(number, task="asr" if number == 3 else "qa", tokens=[TOKEN], **WHOLE)
        answer = feedback.record_answer(asked, annotator="me")
        if number == 7:
            feedback.rate(answer, "you", thumb=-1, comment="xylophone")
    with serve(settings, lambda progress: FakeEngine()) as url:  # type: ignore[arg-type, return-value]
        page = browser.new_page()
        expect.set_options(timeout=45_000)
        page.goto(f"{url}browse")
        found = page.locator("#browse")
        expect(found).to_contain_text("Type its password")
        expect(page.locator(".found")).to_have_count(0)
        page.get_by_label("Password").fill("sesame")
        page.get_by_label("Password").press("Enter")
        expect(found).to_contain_text("answer 20")
        expect(page.locator(".found > li")).to_have_count(20)
        page.locator("#older").click()
        expect(page.locator(".found > li")).to_have_count(1)
        expect(found).to_contain_text("answer 0")
        page.get_by_label("Words").fill("xylophone")
        page.get_by_label("Words").press("Enter")
        expect(found).to_contain_text("answer 7")
        expect(found).to_contain_text("0 good, 1 bad")
        expect(page.locator(".found > li")).to_have_count(1)
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Open").click()
        expect(opened.value.locator(".thread .a")).to_contain_text("answer 7")
        page.get_by_label("Words").fill("")
        page.get_by_label("Task").click()
        page.get_by_role("option", name=re.compile("Transcri", re.IGNORECASE)).click()
        expect(found).to_contain_text("answer 3")
        expect(page.locator(".found > li")).to_have_count(1)
        page.close()
