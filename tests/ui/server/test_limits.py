"""What a visitor may not take from the others, and what they are message."""

import itertools
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, serve, settings_in, until
from ui.server import body_limit
from ui.settings import Settings

ROOT = Path(__file__).parents[3]
DOG = EXAMPLES / "sound-dog.ogg"
STRANGER, NEIGHBOUR = "203.0.113.7", "203.0.113.8"
_ADDRESSES = itertools.count(1)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with narrow limits."""
    engine = FakeEngine(pause=0.0)
    settings = settings_in(tmp_path_factory.mktemp("data"), max_upload_mb=1, per_minute=2, proxies=1)
    with serve(settings, lambda progress: engine) as url:
        yield url


def upload(url: str, content: bytes, field: str = "files") -> httpx.Response:
    files = {field: ("clip.wav", content)}
    return httpx.post(f"{url}gradio_api/upload", files=files, headers=newcomer(), timeout=30)


def newcomer() -> dict[str, str]:
    """Headers of a visitor who has sent nothing yet: uploads are counted by address."""
    return {"X-Forwarded-For": f"198.51.100.{next(_ADDRESSES)}"}


def call(url: str, endpoint: str, data: list[object], visitor: str | None) -> tuple[str, object]:
    """Event and data of a named endpoint's reply to a visitor, whose address a proxy would tell like this."""
    from_visitor = {"X-Forwarded-For": visitor} if visitor else {}
    address = f"{url}gradio_api/call/{endpoint}"
    joined = httpx.post(address, json={"data": data}, headers=from_visitor)
    if joined.status_code == 429:  # refused before it has a place in the line
        return "error", joined.json()["detail"]
    event = joined.json()["event_id"]
    reply = httpx.get(f"{address}/{event}", headers=from_visitor, timeout=30).text
    kind, message = (line.split(": ", 1)[1] for line in reply.strip().splitlines()[-2:])
    return kind, json.loads(message)


def ask(url: str, visitor: str | None = None, question: str = "What?") -> tuple[str, object]:
    clip = {"path": upload(url, DOG.read_bytes()).json()[0], "meta": {"_type": "gradio.FileData"}}
    return call(url, "ask", [clip, question, "qa"], visitor)


def test_a_visitor_asks_so_often_and_the_next_one_still_can(url: str) -> None:
    assert [ask(url, STRANGER)[0] for _ in range(2)] == ["complete", "complete"]
    kind, message = ask(url, STRANGER)
    assert kind == "error"
    assert "At most 2 questions a minute" in str(message)
    assert ask(url, NEIGHBOUR)[0] == "complete"


def test_a_visitor_rates_so_often_by_the_api(url: str) -> None:
    rating = ["no-such-answer", "someone", 1, *[None] * 5]
    message = [str(call(url, "rate", list(rating), STRANGER)[1]) for _ in range(3)]
    assert "no answer with that id" in message[0]
    assert "At most 2 ratings a minute" in message[2]


def test_a_trial_counts_as_a_question(url: str) -> None:
    message = [str(call(url, "attribute", ["no-such-answer", None], "203.0.113.77")[1]) for _ in range(3)]
    assert "no answer with that id" in message[0]
    assert "At most 2 questions a minute" in message[2]


def test_whoever_runs_the_app_here_is_not_limited(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, per_minute=2)
    with serve(settings, lambda progress: FakeEngine(pause=0.0)) as url:
        assert {ask(url)[0] for _ in range(4)} == {"complete"}


def test_a_long_question_is_refused_with_its_length(url: str) -> None:
    kind, message = ask(url, "203.0.113.78", "w" * 501)
    assert kind == "error"
    assert "501 characters, at most 500" in str(message)


@pytest.mark.parametrize("field", ["files", "other"])
def test_a_large_upload_is_refused(url: str, field: str) -> None:
    assert upload(url, bytes(2**20), "files").status_code == 200
    reply = upload(url, bytes(2**20 + 70_000), field)
    assert (reply.status_code, reply.text) == (413, "The file is larger than 1 MB.")


def test_a_body_without_a_length_is_cut_off(url: str) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="field"\r\n\r\n'
        for _ in range(200):
            yield bytes(2**16)

    headers = {"Content-Type": "multipart/form-data; boundary=b", **newcomer()}
    try:
        reply = httpx.post(f"{url}gradio_api/upload", content=endless(), headers=headers)
    except httpx.WriteError:  # the answer came, and the connection was closed, before all was sent
        return
    assert (reply.status_code, reply.text) == (413, "The file is larger than 1 MB.")


def test_an_upload_that_breaks_off_leaves_nothing_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = tmp_path / "uploads"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))

    def break_off(url: str, known: set[Path]) -> set[Path]:
        """What an upload that ends in the middle leaves."""
        address = httpx.URL(url)
        with socket.create_connection((address.host, address.port)) as connection:
            connection.sendall(
                b"POST /gradio_api/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
                b'Content-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n' + bytes(40_000)
            )
            assert until(lambda: bool(set(uploads.glob("tmp*")) - known))
        return set(uploads.glob("tmp*"))

    with serve(settings_in(tmp_path / "data"), lambda progress: FakeEngine()) as url:
        [left] = break_off(url, set())
        two_hours_ago = time.time() - 7200

        def swept() -> bool:
            if left.exists():  # the server may write to it until it knows that the visitor has gone
                os.utime(left, (two_hours_ago, two_hours_ago))
            return left not in break_off(url, set(uploads.glob("tmp*")))

        assert until(swept)


def test_a_long_message_is_refused(url: str) -> None:
    data = {"data": [None, "w" * (3 * 2**20), "qa"]}
    assert httpx.post(f"{url}gradio_api/call/ask", json=data).status_code == 413


def test_uploads_leave_room_on_the_disk(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "_free", lambda folder: body_limit.FREE_DISK)
    reply = upload(url, b"sound")
    assert reply.status_code == 507
    assert "no disk space" in reply.text


@pytest.mark.parametrize(
    "name", ["USAM_MAX_UPLOAD_MB", "USAM_MAX_WAITING", "USAM_MAX_WAITING_EACH", "USAM_PER_MINUTE"]
)
@pytest.mark.parametrize("wrong", ["-1", "abc", "nan", "1e9"])
def test_an_impossible_limit_is_refused(name: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_environment({name: wrong})


def test_limits_come_from_the_environment(tmp_path: Path) -> None:
    message = {"USAM_MAX_UPLOAD_MB": "20", "USAM_MAX_WAITING": "5", "USAM_PER_MINUTE": "0"}
    settings = Settings.from_environment(message)
    assert (settings.max_upload_mb, settings.max_waiting, settings.per_minute) == (20, 5, 0)
