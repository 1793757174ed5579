"""The page in a real browser with the real model: record of one visit on speech, sound and music."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.pages import AppPage, chromium
from tests.serving import EXAMPLES, rows, serve, settings_in

PATIENCE = 180.0  # seconds; the first start may fetch weights


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def app(data: Path) -> Iterator[AppPage]:
    with serve(settings_in(data)) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE * 1000)
        app = AppPage(page, url, patience=PATIENCE)
        app.wait_until_ready()
        yield app
        assert app.problems == []


@pytest.mark.parametrize(
    ("clip", "task", "question"),
    [
        ("speech-new-jail.ogg", "Transcribe", ""),
        ("sound-dog.ogg", "Describe sound", ""),
        ("music-piano.ogg", "Ask", "Is this speech, a sound or music?"),
    ],
)
def test_upload_ask_see_and_rate(app: AppPage, data: Path, clip: str, task: str, question: str) -> None:
    app.upload(EXAMPLES / clip)
    app.choose_task(task)
    app.ask_about(question)
    expect(app.answer_text).to_have_text(answer_of(data))
    expect(app.heard).to_contain_text("Heard 0.0–")
    expect(app.meters).to_contain_text("tokens/s")
    app.rate(thumb="Good", score=3, comment=clip)
    expect(app.rating_status).to_contain_text("Saved")
    saved = rows(data, f"SELECT thumb, score FROM ratings WHERE comment = '{clip}'")
    assert saved == [(1, 3)]


def test_the_answers_differ_between_the_clips(data: Path) -> None:
    """One that says the same about speech, a dog and a piano has not heard them."""
    answers = {text for (text,) in rows(data, "SELECT text FROM answers")}
    assert len(answers) == len(rows(data, "SELECT id FROM answers")) == 3


def answer_of(data: Path) -> str:
    ((text,),) = rows(data, "SELECT text FROM answers ORDER BY created_at DESC LIMIT 1")
    return " ".join(text.split())
