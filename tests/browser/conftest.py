from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.fake_engine import FakeEngine
from tests.browser.pages import AppPage, chromium, serve, settings_in


@dataclass(frozen=True)
class Server:
    url: str
    data: Path
    engine: FakeEngine = field(default_factory=FakeEngine)


@pytest.fixture(scope="session", autouse=True)
def uploads_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Gradio keeps uploads by their hash and deletes them at its end: also those of another run of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with the small engine, shared by the tests of a module."""
    data, engine = tmp_path_factory.mktemp("data"), FakeEngine()
    with serve(settings_in(data), lambda progress: engine) as url:
        yield Server(url, data, engine)


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
