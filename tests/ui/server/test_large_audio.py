"""What a script may not fetch: large uploads, which the browser plays piece by piece."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from ui.server.large_audio import LargeAudio

MOST = 1000
SCRIPT, PLAYER = {"Sec-Fetch-Dest": "empty"}, {"Sec-Fetch-Dest": "audio"}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / "short one.mp3").write_bytes(bytes(MOST))
    (uploads / "long one.mp3").write_bytes(bytes(MOST + 1))
    (tmp_path / "secret.db").write_bytes(bytes(MOST + 1))

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("served")(scope, receive, send)

    return TestClient(LargeAudio(served, uploads, MOST))


@pytest.mark.parametrize(
    ("name", "headers", "status"),
    [
        ("uploads/long one.mp3", SCRIPT, 413),
        ("uploads/../uploads/long one.mp3", SCRIPT, 413),
        ("uploads/long one.mp3", PLAYER, 200),
        ("uploads/long one.mp3", {}, 200),
        ("uploads/short one.mp3", SCRIPT, 200),
        ("uploads/none.mp3", SCRIPT, 200),
        ("uploads/\0", SCRIPT, 200),
        ("secret.db", SCRIPT, 200),  # nor does it say how large other files are
        ("uploads/../secret.db", SCRIPT, 200),
    ],
)
def test_a_script_gets_no_large_upload(
    client: TestClient, tmp_path: Path, name: str, headers: dict[str, str], status: int
) -> None:
    path = quote(f"/gradio_api/file={tmp_path}/{name}")
    assert client.get(path, headers=headers).status_code == status
    assert client.get(quote(f"/elsewhere={tmp_path}/{name}"), headers=headers).status_code == 200
