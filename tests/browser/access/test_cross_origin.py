"""What pages of other sites get while an admin is signed in to the app: in Chromium, over TLS, with names."""

import datetime
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

from tests.browser.pages import AppPage, chromium
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, serve, settings_in
from ui.access.accounts import Accounts

pytest.importorskip("cryptography", reason="the certificate is made with it")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PASSWORD = "correct horse"
APP, SIBLING, FOREIGN, WIKI = "app.site.example", "evil.site.example", "evil.example", "wiki.example"

SWITCHES = (
    "--ignore-certificate-errors",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
    # In place of Playwright's list, which disables ThirdPartyStoragePartitioning: without it, and unlike in
    # people's browsers, a frame on another site has no storage at all.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,AvoidCorsURLLoaderRestartOnRedirect",
)

# What a page can try with the credentials of whoever has it open: an event of an admin page, and its answer.
RUN_EVENT = """async ([app, name, inputs]) => {
    const get = (path, options) => fetch(app + path, {credentials: "include", ...options});
    const body = (events) => JSON.stringify({
        data: inputs, fn_index: events.find((event) => event.api_name === name).id, session_hash: "attack"});
    const sent = (type, events) => ({method: "POST", headers: {"Content-Type": type}, body: body(events)});
    try {
        const events = (await (await get("config")).json()).dependencies;
        await get("gradio_api/queue/join", sent("application/json", events));
        return await (await get("gradio_api/queue/data?session_hash=attack")).text();
    } catch (error) {
        return `kept out: ${error}`;
    }
}"""
# Events have the same numbers for everybody; an answer that cannot be read may still have done something.
RUN_BLINDLY = """async ([app, event, inputs]) => {
    const body = JSON.stringify({data: inputs, fn_index: event, session_hash: "blind"});
    const sent = {method: "POST", mode: "no-cors", credentials: "include", body};
    await fetch(app + "gradio_api/queue/join", {...sent, headers: {"Content-Type": "text/plain"}});
}"""
BROWSE: tuple[str, list[str]] = ("opened_2", [""] * 10)
PREPARE: tuple[str, list[str]] = ("prepared", ["csv", ""])


@dataclass(frozen=True)
class Site:
    url: str
    data: Path


def certificate(folder: Path) -> dict[str, Any]:
    """What Gradio's `launch` needs for TLS, with a certificate that nobody knows."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(APP), x509.DNSName("localhost")]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key").write_bytes(key.private_bytes(pem, *plain))
    (folder / "certificate").write_bytes(made.public_bytes(pem))
    return {
        "ssl_keyfile": str(folder / "key"),
        "ssl_certfile": str(folder / "certificate"),
        "ssl_verify": False,
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(*SWITCHES) as browser:
        yield browser


class WhateverIsAsked(BaseHTTPRequestHandler):
    """Answers with the page that is in the address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(unquote(self.path.partition("?")[2]).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of the other sites: a real server, since browsers let no page from elsewhere reach this machine."""
    files = certificate(tmp_path_factory.mktemp("sites"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["ssl_certfile"], files["ssl_keyfile"])
    with ThreadingHTTPServer(("127.0.0.1", 0), WhateverIsAsked) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def running(folder: Path, **changes: Any) -> Any:
    accounts = Accounts(folder / "accounts")
    accounts.save("ann", PASSWORD)
    settings = settings_in(folder, accounts=accounts.file, admins=frozenset({"ann"}), **changes)
    return serve(settings, lambda progress: FakeEngine(), **certificate(folder))  # type: ignore[arg-type, return-value]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("data")
    with running(data) as url:
        yield Site(named(url, APP), data)


def named(url: str, host: str) -> str:
    return url.replace("localhost", host).replace("127.0.0.1", host)


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


def sign_in(where: Page | Frame) -> None:
    where.get_by_label("username").fill("ann")
    where.get_by_label("password").fill(PASSWORD)
    where.get_by_role("button", name="Login").click()
    expect(where.locator("#who")).to_contain_text("Signed in as ann")


@pytest.fixture(scope="module")
def admin(context: BrowserContext, site: Site) -> Page:
    """A page of the app with an admin signed in."""
    page = context.new_page()
    page.goto(site.url)
    sign_in(page)
    return page


def opened(context: BrowserContext, host: str, port: int, html: str = "<p>Hello</p>") -> Page:
    """A page of another site, beside those that are open."""
    page = context.new_page()
    page.goto(f"https://{host}:{port}/?{quote(html)}")
    return page


def number_of(admin: Page, name: str) -> int:
    """The event's, as anybody with an account reads it."""
    events = admin.evaluate("async () => (await (await fetch('config')).json()).dependencies")
    return next(event["id"] for event in events if event["api_name"] == name)


def test_the_app_itself_works_over_tls(admin: Page, site: Site, context: BrowserContext) -> None:
    """Also shows that the attack of the tests below is one."""
    assert "process_completed" in admin.evaluate(RUN_EVENT, [site.url, *BROWSE])
    admin.goto(f"{site.url}browse")
    expect(admin.locator("#browse")).to_contain_text("No answer matches that")
    assert {(cookie["sameSite"], cookie["secure"]) for cookie in context.cookies()} == {("Lax", True)}


@pytest.mark.parametrize("host", [SIBLING, FOREIGN])
def test_another_sites_page_reads_nothing_and_prepares_nothing(
    admin: Page, site: Site, context: BrowserContext, port: int, host: str
) -> None:
    page = opened(context, host, port)
    for name, inputs in (BROWSE, PREPARE):
        assert page.evaluate(RUN_EVENT, [site.url, name, inputs]).startswith("kept out")
    number = number_of(admin, PREPARE[0])
    with page.expect_response("**/queue/join") as response:
        page.evaluate(RUN_BLINDLY, [site.url, number, PREPARE[1]])
    assert response.value.status == 403
    assert not list(site.data.glob("downloads/*"))


@pytest.mark.parametrize("host", [SIBLING, FOREIGN])
@pytest.mark.parametrize("path", ["download", "logout", "gradio_api/upload"])
def test_another_sites_form_does_nothing(
    admin: Page, site: Site, context: BrowserContext, port: int, host: str, path: str
) -> None:
    method = "get" if path == "logout" else "post"
    form = f'<form method="{method}" action="{site.url}{path}"><input name="key"><button>Go</button></form>'
    page = opened(context, host, port, form)
    with page.expect_response(lambda response: response.url.startswith(f"{site.url}{path}")) as response:
        page.get_by_role("button").click()
    assert response.value.status == 403
    # The page stays open until its context goes: closed on a refused form, Chromium may never reply.
    admin.goto(site.url)
    expect(admin.locator("#who")).to_contain_text("Signed in as ann")


@pytest.mark.parametrize("host", [SIBLING, FOREIGN])
def test_another_site_cannot_frame_it(
    admin: Page, site: Site, context: BrowserContext, port: int, host: str
) -> None:
    page = opened(context, host, port, f'<iframe src="{site.url}browse"></iframe>')
    page.wait_for_function("frames.length === 1")
    framed = page.frames[1]
    framed.wait_for_load_state()
    assert framed.url == "chrome-error://chromewebdata/"


def test_a_named_site_frames_it_and_people_sign_in_there(
    browser: Browser, context: BrowserContext, port: int, tmp_path: Path
) -> None:
    with running(tmp_path, embedders=(f"https://{WIKI}:{port}",)) as url:
        app = named(url, APP)
        frame = f'<iframe src="{app}" width="1200" height="800"></iframe>'
        page = opened(context, WIKI, port, frame)
        expect(page.frame_locator("iframe").get_by_label("username")).to_be_visible()
        sign_in(page.frames[1])
        other = opened(context, SIBLING, port, frame)
        other.frames[1].wait_for_load_state()
        assert other.frames[1].url == "chrome-error://chromewebdata/"
        alone = context.new_page()
        alone.goto(app)
        expect(alone.get_by_label("username")).to_be_visible()


def test_asking_works_over_tls(context: BrowserContext, admin: Page, site: Site) -> None:
    """The content security policy lets the page do all it has to."""
    app = AppPage(admin, site.url)
    app.upload(EXAMPLES / "sound-dog.ogg")
    app.ask_about("What animal is this?")
    app.rate(score=4)
    expect(app.rating_status).to_contain_text("Saved")
    for path, shows in (("dashboard", "#board dl"), ("browse", "#browse li")):
        admin.goto(f"{site.url}{path}")
        expect(admin.locator(shows).first).to_be_visible()
    assert app.problems == []
