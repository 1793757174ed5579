"""The app with named accounts in a real browser: nobody is let in without one; what is said is its own."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.pages import AppPage
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, rows, serve, settings_in
from ui.access.accounts import Accounts

PASSWORD = "correct horse"
DOG = EXAMPLES / "sound-dog.ogg"


@pytest.fixture(scope="module")
def url(data: Path) -> Iterator[str]:
    accounts = Accounts(data / "accounts")
    for name in ("ann", "bob", "cal"):
        accounts.save(name, PASSWORD)
    settings = settings_in(data, accounts=accounts.file, admins=frozenset({"ann"}))
    with serve(settings, lambda progress: FakeEngine()) as url:  # type: ignore[arg-type, return-value]
        yield url


def sign_in(context: BrowserContext, url: str, name: str, password: str = PASSWORD) -> Page:
    page = context.new_page()
    page.goto(url)
    page.get_by_label("username").fill(name)
    page.get_by_label("password").fill(password)
    page.get_by_role("button", name="Login").click()
    return page


def people(data: Path) -> list[str]:
    return [name for (name,) in rows(data, "SELECT public_id FROM annotators ORDER BY id")]


def test_ratings_are_the_accounts_in_every_browser(browser: Browser, url: str, data: Path) -> None:
    for score in (4, 5):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = sign_in(context, url, "ann")
        expect(page.locator("#who")).to_contain_text("Signed in as ann")
        app = AppPage(page, url)
        app.upload(DOG)
        app.ask_about("What animal is this?")
        app.rate(score=score)
        expect(app.rating_status).to_contain_text("Saved")
        context.close()
    owned = "SELECT public_id, count(*) FROM ratings JOIN annotators a ON a.id = annotator_id GROUP BY a.id"
    [(person, count)] = rows(data, owned)
    assert person.startswith("account-")
    assert count == 2


def test_a_program_speaks_for_its_account_alone(url: str, data: Path) -> None:
    client = Client(url, auth=("bob", PASSWORD), verbose=False)
    answer = client.predict(handle_file(DOG), "What?", "qa", api_name="/ask")
    client.predict(answer["answer_id"], "somebody-else", 1, 3, None, None, api_name="/rate")
    assert "somebody-else" not in people(data)
    assert all(person.startswith("account-") for person in people(data))


def test_nobody_is_let_in_without_an_account(browser: Browser, url: str) -> None:
    for path in ("config", "gradio_api/info"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}{path}")
        assert refused.value.code == 401
    assert urllib.request.urlopen(f"{url}health").status == 200
    context = browser.new_context()
    page = sign_in(context, url, "ann", "wrong horse")
    expect(page.get_by_text("Incorrect")).to_be_visible()
    expect(page.locator("#ask")).to_have_count(0)
    context.close()


def test_the_dashboard_is_for_admins(browser: Browser, url: str) -> None:
    for name, sees in (("ann", "Ratings"), ("bob", "for the accounts that USAM_ADMINS names")):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = sign_in(context, url, name)
        expect(page.locator("#who")).to_contain_text(name)
        page.goto(f"{url}dashboard")
        expect(page.locator("#board")).to_contain_text(sees)
        context.close()


def test_who_deleted_their_data_goes_on_under_the_same_account(
    browser: Browser, url: str, data: Path
) -> None:
    known = set(people(data))
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = sign_in(context, url, "cal")
    expect(page.locator("#who")).to_contain_text("cal")
    app = AppPage(page, url)
    app.upload(DOG)
    app.ask_about("What animal is this?")
    app.rate(score=2)
    expect(app.rating_status).to_contain_text("Saved")
    [cal] = set(people(data)) - known
    app.privacy.get_by_text("Your data").click()
    expect(app.privacy).to_contain_text("an id made for your account")
    app.delete_data.click()
    app.delete_sure.click()
    expect(app.privacy_status).to_contain_text("Deleted: 1 answer")
    assert cal not in people(data)
    app.ask_about("And now?")
    app.rate(score=1)
    expect(app.rating_status).to_contain_text("Saved")
    assert cal in people(data)
    context.close()
