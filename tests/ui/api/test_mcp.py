"""What assistants are offered by the Model Context Protocol, spoken by its own client."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, Server, serve, settings_in
from ui.access.accounts import Accounts
from ui.settings import Settings

DOG = EXAMPLES / "sound-dog.ogg"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data, engine = tmp_path_factory.mktemp("data"), FakeEngine(pause=0.0)
    with serve(
        settings_in(data, mcp=True, per_minute=2, max_waiting=1, proxies=1), lambda progress: engine
    ) as url:
        yield Server(url, data, engine)


@pytest.fixture
def clip(server: Server) -> str:
    """An upload, as a client tells it."""
    reply = httpx.post(f"{server.url}gradio_api/upload", files={"files": ("dog.ogg", DOG.read_bytes())})
    return reply.json()[0]


def newcomer() -> str:
    return f"198.51.100.{next(NUMBERS)}"


def speaking(server: Server, visitor: str, say: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    """What comes of a session from the address that a proxy would tell."""

    async def session() -> Any:
        async with (
            httpx.AsyncClient(headers={"X-Forwarded-For": visitor}, timeout=60) as http,
            streamable_http_client(f"{server.url}mcp", http_client=http) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await say(session)

    return asyncio.run(session())


def call(server: Server, tool: str, arguments: dict[str, Any], visitor: str = "") -> CallToolResult:
    """What a tool replies to a visitor, by default to one who did not come before."""
    return speaking(server, visitor or newcomer(), lambda session: session.call_tool(tool, arguments))


def refusal(result: CallToolResult) -> str:
    assert result.isError
    return result.content[0].text


def test_assistants_can_ask_and_inspect_and_nothing_else(server: Server) -> None:
    tools = speaking(server, newcomer(), lambda session: session.list_tools()).tools
    names = {"ask", "attribute", "deletion_test", "intervene", "trace"}
    assert {tool.name for tool in tools} == names
    assert call(server, "rate", {"answer_id": "a", "annotator": "me", "thumb": 1}).isError


def test_a_question_is_answered_and_its_trace_is_there(server: Server, clip: str) -> None:
    answer = call(server, "ask", {"audio": clip, "question": "What is this?"}).structuredContent
    assert "What is this?" in answer["answer"]
    trace = call(server, "trace", {"answer_id": answer["answer_id"]}).structuredContent
    assert trace["answer"] == answer["answer"]
    assert trace["tokens"][0]["routing"]


def test_an_upload_can_be_given_by_its_address(server: Server, clip: str) -> None:
    answer = call(server, "ask", {"audio": f"{server.url}gradio_api/file={clip}"})
    assert not answer.isError


@pytest.mark.parametrize(
    "audio",
    ["/etc/hostname", str(DOG), "https://example.org/a.wav", "feedback.db", "/gradio_api/file=/etc/passwd"],
)
def test_nothing_but_uploads_is_heard(server: Server, audio: str) -> None:
    assert "no such upload" in refusal(call(server, "ask", {"audio": audio}))


def test_questions_are_counted_by_address(server: Server, clip: str) -> None:
    visitor = "203.0.113.40"
    for _ in range(2):
        assert not call(server, "ask", {"audio": clip}, visitor).isError
    assert "At most 2 questions a minute" in refusal(call(server, "ask", {"audio": clip}, visitor))


def test_it_waits_in_the_queue_of_the_pages(
    server: Server, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.engine, "pause", 0.3)

    async def two(session: ClientSession) -> tuple[CallToolResult, CallToolResult]:
        first = asyncio.create_task(session.call_tool("ask", {"audio": clip, "question": "What?"}))
        while not server.engine.writing:
            await asyncio.sleep(0.05)
        return await session.call_tool("ask", {"audio": clip}), await first

    second, first = speaking(server, newcomer(), two)
    assert not first.isError
    assert "queue is full" in refusal(second)


def test_nobody_is_offered_it_by_default(tmp_path: Path) -> None:
    with serve(settings_in(tmp_path), lambda progress: FakeEngine()) as url:
        assert httpx.post(f"{url}mcp", json={}).status_code in (404, 405)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [({"USAM_MCP": "yes"}, "0 or 1"), ({"USAM_MCP": "1", "USAM_ACCOUNTS": "accounts"}, "not both")],
)
def test_what_cannot_be_set_ends_the_start(
    environ: dict[str, str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Accounts(Path("accounts")).save("ann", "a long password")
    with pytest.raises(ValueError, match=sentence):
        Settings.from_environment(environ)
