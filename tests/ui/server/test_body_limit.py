"""Which request may be as long as a file, and how much of a longer one reaches the app."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from ui.server.body_limit import MAX_MESSAGE, BodyLimit
from ui.server.paths import is_upload

CHUNK = 2**16
MAX_UPLOAD = 8 * 2**20
FORM = (b"content-type", b"multipart/form-data; boundary=b")
JSON = (b"content-type", b"application/json")


def request(
    path: str, *headers: tuple[bytes, bytes], method: str = "POST", root_path: str = ""
) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "root_path": root_path, "headers": list(headers)}


class Reader:
    """An app that reads the whole body, as Gradio does, and counts it."""

    def __init__(self, *, gives_up: bool = True) -> None:
        """gives_up: whether it leaves the answer to others when the body breaks off."""
        self.taken = 0
        self.gives_up = gives_up

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                if self.gives_up:
                    raise ClientDisconnect
                await send({"type": "http.response.start", "status": 400, "headers": []})
                await send({"type": "http.response.body", "body": b"There was an error parsing the body"})
                return
            self.taken += len(message["body"])
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def sent(app: Reader, scope: dict[str, Any], size: int, folder: Path = Path("/tmp")) -> tuple[int, bytes]:
    """Status and text of the answer to `size` bytes that come in chunks."""
    left, answer, body = size, [], b""

    async def receive() -> dict[str, Any]:
        nonlocal left
        chunk = min(left, CHUNK)
        left -= chunk
        return {"type": "http.request", "body": bytes(chunk), "more_body": left > 0}

    async def send(message: dict[str, Any]) -> None:
        nonlocal body
        answer.append(message.get("status"))
        body += message.get("body", b"")

    asyncio.run(BodyLimit(app, MAX_UPLOAD, folder)(scope, receive, send))
    return answer[0], body


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/call/upload",
        "/gradio_api/call/v2/upload",
        "/gradio_api/run/upload",
        "/gradio_api/upload/",
        "/gradio_api//upload",
        "//gradio_api/upload",
        "/gradio_api/Upload",
        "/upload",
        "/other/gradio_api/upload",
        "/gradio_api/queue/join",
        "/gradio_api/component_server",
        "/login",
    ],
)
@pytest.mark.parametrize("kind", [FORM, JSON])
def test_only_an_upload_may_be_as_long_as_a_file(
    path: str, kind: tuple[bytes, bytes], tmp_path: Path
) -> None:
    app = Reader()
    status, _ = sent(app, request(path, kind), MAX_MESSAGE + CHUNK, tmp_path)
    assert status == 413
    assert app.taken <= MAX_MESSAGE


@pytest.mark.parametrize(
    "scope",
    [
        request("/gradio_api/upload", FORM),
        request("/studio/gradio_api/upload", FORM, root_path="/studio"),
        request("/studio/gradio_api/upload", FORM, root_path="/studio/"),
        request("/gradio_api/upload", FORM, root_path="/studio"),  # the proxy has taken the prefix away
        request("/gradio_api/upload", (b"content-type", b"Multipart/Form-Data;boundary=b")),
    ],
)
def test_an_upload_may_be(scope: dict[str, Any], tmp_path: Path) -> None:
    app = Reader()
    assert sent(app, scope, 2 * MAX_MESSAGE, tmp_path)[0] == 200
    assert app.taken == 2 * MAX_MESSAGE


@pytest.mark.parametrize(
    "scope",
    [
        request("/gradio_api/upload", JSON),
        request("/gradio_api/upload"),
        request("/gradio_api/upload", FORM, JSON),
        request("/gradio_api/upload", (b"content-type", b"application/json; multipart/form-data")),
        request("/gradio_api/upload", FORM, method="PUT"),
        request("/gradio_api/upload", FORM, method="GET"),
        request("/studiogradio_api/upload", FORM, root_path="/studio"),
    ],
)
def test_what_only_looks_like_an_upload_may_not(scope: dict[str, Any], tmp_path: Path) -> None:
    app = Reader()
    assert sent(app, scope, 2 * MAX_MESSAGE, tmp_path)[0] == 413
    assert app.taken <= MAX_MESSAGE


@pytest.mark.parametrize("gives_up", [True, False])
def test_a_body_without_a_length_is_counted_and_the_answer_is_the_limit_s(
    gives_up: bool, tmp_path: Path
) -> None:
    app = Reader(gives_up=gives_up)
    status, text = sent(app, request("/gradio_api/run/rate", JSON), 40 * 2**20, tmp_path)
    assert (status, b"too long" in text) == (413, True)
    assert app.taken <= MAX_MESSAGE


def test_a_length_past_the_limit_is_refused_unread(tmp_path: Path) -> None:
    app = Reader()
    lengths = [str(MAX_MESSAGE + 1), "9" * 5000]
    for length in lengths:
        scope = request("/gradio_api/run/rate", JSON, (b"content-length", length.encode()))
        assert sent(app, scope, 10, tmp_path)[0] == 413
    assert app.taken == 0


@pytest.mark.parametrize("length", [b"abc", b"-1", b"+5", b"1_0", b"1.5", b"", b"0x10", "٣".encode()])
def test_a_length_that_is_no_number_is_refused(length: bytes, tmp_path: Path) -> None:
    app = Reader()
    scope = request("/gradio_api/run/rate", JSON, (b"content-length", length))
    assert sent(app, scope, 10, tmp_path)[0] == 400
    assert app.taken == 0


def test_two_lengths_are_none(tmp_path: Path) -> None:
    scope = request("/gradio_api/run/rate", (b"content-length", b"5"), (b"content-length", b"6"))
    assert sent(Reader(), scope, 5, tmp_path)[0] == 400


@given(st.from_regex(r"(/|//|gradio_api|upload|UPLOAD|\.\.|call|%2f|;x|\?)*", fullmatch=True))
def test_no_other_spelling_of_the_path_is_an_upload(path: str) -> None:
    assert is_upload(request(path, FORM)) == bool(re.fullmatch("/gradio_api/upload", path))
