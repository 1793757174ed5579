"""Signing in with Hugging Face's accounts, as on a Space, against a provider of our own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.pages import AppPage
from tests.serving import EXAMPLES, rows

pytest.importorskip("authlib", reason="gradio[oauth] is what Spaces install")
pytest.importorskip("itsdangerous", reason="gradio[oauth] is what Spaces install")

from tests.browser.access.openid import CLIENT, SECRET, serving

ROOT = Path(__file__).parents[3]
DOG = EXAMPLES / "sound-dog.ogg"
# On a Space, Gradio's page asks for these by itself. Nothing is loaded from elsewhere, so both are refused.
BLOCKED = ("https://fonts.googleapis.com/", "https://huggingface.co/api/spaces/")


@pytest.fixture(scope="module")
def url(data: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(port, "ann", "bob") as issuer:
        space = {
            "SYSTEM": "spaces", "SPACE_ID": "someone/studio", "GRADIO_SERVER_NAME": "127.0.0.1",
            "OAUTH_CLIENT_ID": CLIENT, "OAUTH_CLIENT_SECRET": SECRET, "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": issuer, "USAM_DATA": str(data), "USAM_ADMINS": "ann",
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.access.space"],
            env={**os.environ, **space}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        yield next(line.strip() for line in process.stdout if line.startswith("http"))
        process.stdin.close()
        process.wait(timeout=60)


@pytest.fixture
def visit(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


def sign_in(app: AppPage, name: str) -> None:
    app.page.locator("#login").click()
    app.page.get_by_role("link", name=name, exact=True).click()
    expect(app.page.locator("#login")).to_contain_text(name)


def rate(app: AppPage, score: int) -> None:
    app.upload(DOG)
    app.ask_about("What animal is this?")
    app.rate(score=score)
    expect(app.rating_status).to_contain_text("Saved")


def raters(data: Path) -> list[str]:
    """Who gave each rating, the first first."""
    query = "SELECT public_id FROM ratings r JOIN annotators a ON a.id = annotator_id ORDER BY r.rowid"
    return [person for (person,) in rows(data, query)]


def sees(page: Page, url: str, board: str) -> None:
    page.goto(f"{url}dashboard")
    expect(page.locator("#board")).to_contain_text(board)


def test_ratings_are_the_account_s_until_it_signs_out(visit: BrowserContext, url: str, data: Path) -> None:
    app = AppPage(visit.new_page(), url)
    sees(app.page, url, "for the accounts that USAM_ADMINS names")
    app.page.goto(url)
    sign_in(app, "ann")
    rate(app, 4)
    sees(app.page, url, "Mean score")
    app.page.goto(url)
    rate(app, 5)
    app.page.locator("#login").click()
    expect(app.page.locator("#login")).to_contain_text("Sign in")
    rate(app, 1)
    first, second, third = raters(data)
    assert first.startswith("account-")
    assert first == second
    assert not third.startswith("account-")
    sees(app.page, url, "for the accounts that USAM_ADMINS names")
    assert [problem for problem in app.problems if not any(host in problem for host in BLOCKED)] == []


def test_who_is_no_admin_gets_no_dashboard(visit: BrowserContext, url: str, data: Path) -> None:
    app = AppPage(visit.new_page(), url)
    sign_in(app, "bob")
    sees(app.page, url, "for the accounts that USAM_ADMINS names")
    app.page.goto(url)
    rate(app, 3)
    *others, bob = raters(data)
    assert bob.startswith("account-")
    assert bob not in others
