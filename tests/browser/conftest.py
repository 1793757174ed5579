from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.pages import AppPage, chromium
from tests.serving import Server, serve_fake


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with a fake engine, shared by the tests of a module."""
    with serve_fake(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """One person's browser; its cache spares the tests most of each page load."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def app(visitor: BrowserContext, server: Server) -> Iterator[AppPage]:
    """A freshly opened page. Whatever goes wrong in the page's own scripts fails the test."""
    app = AppPage(visitor.new_page(), server.url)
    yield app
    app.page.close()
    assert app.problems == []
