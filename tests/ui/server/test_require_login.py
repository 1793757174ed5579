"""With accounts: nothing is read, and no page kept, of who is not signed in. No browser: plain HTTP."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, serve, settings_in
from ui.access.accounts import Accounts

DOG = EXAMPLES / "sound-dog.ogg"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("data")
    accounts = Accounts(data / "accounts")
    accounts.save("ann", "correct horse")
    with serve(settings_in(data, accounts=accounts.file), lambda progress: FakeEngine()) as url:  # type: ignore[arg-type, return-value]
        yield url


@pytest.mark.parametrize(
    "path",
    [
        "upload", "upload/", "call/upload", "run/predict", "queue/join", "component_server", "cancel",
        "process_recording", "stream/abc", "reset", "no/such/route",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b"])
def test_nothing_is_waited_for_without_an_account(url: str, path: str, kind: str) -> None:
    """The answer comes while the whole body is still to be sent."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port), timeout=5) as connection:
        connection.sendall(
            f"POST /gradio_api/{path} HTTP/1.1\r\nHost: {address.host}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: 1000\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 401")


def test_a_heartbeat_needs_an_account(url: str) -> None:
    with httpx.stream("GET", f"{url}gradio_api/heartbeat/abc") as reply:
        assert reply.status_code == 401


def test_who_signs_in_can_upload_and_open_a_page(url: str) -> None:
    with httpx.Client(base_url=url) as client:
        wrong = client.post("/login", data={"username": "ann", "password": "wrong horse"})
        assert wrong.status_code == 400
        client.post("/login", data={"username": "ann", "password": "correct horse"}).raise_for_status()
        sent = client.post("/gradio_api/upload", files={"files": ("dog.ogg", DOG.read_bytes())})
        assert sent.status_code == 200
        assert Path(sent.json()[0]).name == "dog.ogg"
        with client.stream("GET", "/gradio_api/heartbeat/abc") as reply:
            assert reply.status_code == 200
