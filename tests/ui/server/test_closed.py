"""What must not be reachable by any address of the running app. No browser: plain HTTP."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, serve, settings_in
from ui.examples import EXAMPLE_FOLDER

ROOT = Path(__file__).parents[3]
DOG = EXAMPLES / "sound-dog.ogg"
PUBLIC = {"/ask", "/intervene", "/deletion_test", "/attribute", "/replay", "/rate", "/compare", "/trace"}


@dataclass(frozen=True)
class Kept:
    """A running app with something to steal."""

    url: str
    data: Path
    upload: str

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=30)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    data = tmp_path_factory.mktemp("data")
    with serve(settings_in(data), lambda progress: FakeEngine(pause=0.0)) as url:
        uploaded = httpx.post(f"{url}gradio_api/upload", files={"files": ("dog.ogg", DOG.read_bytes())})
        for private in PRIVATE[3:-1]:
            (data / private).parent.mkdir(parents=True, exist_ok=True)
            (data / private).write_bytes(b"private")
        yield Kept(url, data, uploaded.json()[0])


PRIVATE = [
    "feedback.db", "feedback.db-wal", "browser-secret", "audio/kept.wav", "export/ratings.csv",
    "feedback-backup.db", "downloads/0a1b/file", "",
]  # fmt: skip


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize(
    "spelling",
    [
        "gradio_api/file={path}",
        "gradio_api/file=/{path}",
        "gradio_api/file=//{path}",
        "gradio_api/file={escaped}",
        "gradio_api/file={twice}",
        "gradio_api/file={examples}/../../../../../../../../..{path}",
        "gradio_api/file={upload}/../../../../../../../..{path}",
        "gradio_api/file=file://{path}",
        "gradio_api/file/{path}",
        "file={path}",
        "file/{path}",
        "static/..{path}",
        "assets/../../../../../../../../../../../..{path}",
        "svelte/..{path}",
        "gradio_api/custom_component/1/component/module/..{path}",
        "gradio_api/stream/a/b/../..{path}",
    ],
)
def test_nothing_in_the_data_folder_is_served(kept: Kept, name: str, spelling: str) -> None:
    path = str(kept.data / name)
    escaped = quote(path, safe="")
    reply = kept.get(
        spelling.format(
            path=path, escaped=escaped, twice=quote(escaped), examples=EXAMPLE_FOLDER, upload=kept.upload
        )
    )
    assert reply.status_code in (400, 403, 404, 405, 307)
    assert b"private" not in reply.content
    assert b"SQLite" not in reply.content


@pytest.mark.parametrize(
    "path", ["/etc/passwd", str(ROOT / "app.py"), str(ROOT / ".git/config"), "app.py", "../app.py", ".env"]
)
def test_nothing_else_of_the_machine_is_served(kept: Kept, path: str) -> None:
    assert kept.get(f"gradio_api/file={path}").status_code in (403, 404)


def test_an_upload_is_served_to_who_knows_its_hash_alone(kept: Kept) -> None:
    """The folder's name is a keyed hash of the content, which nobody can guess and nothing lists."""
    assert kept.get(f"gradio_api/file={kept.upload}").content == DOG.read_bytes()
    upload = Path(kept.upload)
    assert re.fullmatch("[0-9a-f]{64}", upload.parent.name)
    for folder in (upload.parent, upload.parent.parent, upload.parent.with_name("0" * 64) / upload.name):
        assert kept.get(f"gradio_api/file={folder}").status_code in (403, 404)


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/file=https://example.com/",
        "gradio_api/file=HTTP://127.0.0.1:1/",
        "gradio_api/proxy=https://example.com/",
        "gradio_api/file/https://example.com/",
    ],
)
def test_the_server_is_no_proxy(kept: Kept, path: str) -> None:
    reply = kept.get(path)
    assert reply.status_code == 403
    assert "example" not in reply.text


@pytest.mark.parametrize("address", ["https://example.com/a.wav", "HTTP://127.0.0.1:1/a.wav"])
def test_an_address_is_not_a_clip(kept: Kept, address: str) -> None:
    call = f"{kept.url}gradio_api/call/ask"
    clip = {"path": address, "meta": {"_type": "gradio.FileData"}}
    event = httpx.post(call, json={"data": [clip, "What?", "qa"]}).json()["event_id"]
    reply = httpx.get(f"{call}/{event}", timeout=30).text
    assert reply.startswith("event: error")  # in capitals it is a file that was never uploaded
    assert address.startswith("HTTP") or "addresses are not fetched" in reply


def test_only_the_named_endpoints_are_described(kept: Kept) -> None:
    info = kept.get("gradio_api/info").json()
    assert set(info["named_endpoints"]) == PUBLIC
    assert info["unnamed_endpoints"] == {}
    described = kept.get("gradio_api/openapi.json").json()["paths"]
    assert {
        f"/{name}" for path in described for name in re.findall(r"/(?:call|run|api)(?:/v2)?/(\w+)", path)
    } == PUBLIC


@pytest.mark.parametrize("name", ["export", "backup", "restore", "forget", "delete", "stats", "admin"])
def test_what_belongs_to_whoever_runs_it_is_no_endpoint(kept: Kept, name: str) -> None:
    handlers = {handler["api_name"] for handler in kept.get("config").json()["dependencies"]}
    assert {f"/{handler}" for handler in handlers} >= PUBLIC
    assert name not in handlers
    for way in ("call", "call/v2", "run", "api"):
        reply = httpx.post(f"{kept.url}gradio_api/{way}/{name}", json={"data": []})
        assert reply.status_code >= 400, way


@pytest.mark.parametrize(
    "path",
    ["monitoring", "monitoring/summary", "monitoring/key", "gradio_api/mcp/sse", "gradio_api/mcp/",
     "gradio_api/mcp/schema", "gradio_api/vibe-code", "gradio_api/runs", "docs", "redoc", "openapi.json"],
)  # fmt: skip
def test_figures_tools_and_editors_are_closed(kept: Kept, path: str) -> None:
    assert kept.get(path).status_code in (403, 404, 405)


def test_the_page_does_not_tell_where_things_are(kept: Kept) -> None:
    public = kept.get("config").text + kept.get("").text + json.dumps(kept.get("gradio_api/info").json())
    for path in (kept.data, ROOT / "storage", Path.home() / ".cache"):
        assert str(path) not in public
