"""The app in a frame on a site that it names, in a browser that lets such frames keep nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, rows, serve, settings_in

DENIED = (
    "try { localStorage; window.wasDenied = false } catch { window.wasDenied = true }"  # before the app runs
)


class Framing(BaseHTTPRequestHandler):
    """A page that holds the address in its query."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        framed = self.path.partition("?")[2]
        self.wfile.write(f'<iframe src="{framed}" width="1200" height="800"></iframe>'.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def outside() -> Iterator[str]:
    """The other site: browsers take localhost and 127.0.0.1 for two."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Framing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_page_opens_and_its_visitor_stays_the_same(
    browser: Browser, outside: str, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, embedders=(outside,))
    with serve(settings, lambda progress: FakeEngine()) as url:  # type: ignore[arg-type, return-value]
        page = browser.new_page()
        page.add_init_script(DENIED)
        page.goto(f"{outside}/?{url.replace('localhost', '127.0.0.1')}")
        app = page.frame_locator("iframe")
        expect(app.locator("#ask")).to_be_visible()
        assert page.frames[1].evaluate("wasDenied")
        app.locator("#clip input[type=file]").set_input_files(EXAMPLES / "sound-dog.ogg")
        expect(app.locator("#outlook")).to_contain_text("Will hear")
        app.locator("#ask").click()
        app.locator("#score").get_by_text("4", exact=True).click()
        app.locator("#save").click()
        expect(app.locator("#rating-status")).to_contain_text("Saved")
        assert len(rows(tmp_path, "SELECT id FROM annotators")) == 1
        page.close()
