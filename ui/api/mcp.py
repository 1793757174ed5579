"""For assistants that speak the Model Context Protocol: ask about a clip, and look inside the answer.

On purpose there are only these five tools, which change nothing except that an answer is stored: ratings are
for people, and administration is for whoever runs the app. Gradio's own server would offer every endpoint,
and would fetch clips from URLs, which this server never does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import anyio
import gradio as gr
from anyio.to_thread import run_sync
from gradio.utils import get_upload_folder
from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import BaseRoute

from ui.access.request import visitor_of
from ui.api.endpoints import Endpoints
from ui.components.turns import take_turn
from ui.studio.service import Studio
from usam.interpretability.deletion import SEEDS

INSTRUCTIONS = """Answers questions about clips of speech, sounds or music, and shows how it came to them.
Upload a clip first, as the field `files` of a form, with a POST to /gradio_api/upload of this server; what it
returns is the `audio` of the tools. An answer whose clip was not kept needs it again to be inspected."""
SERVED = "/gradio_api/file="
Call: TypeAlias = Context[Any, Any, Any]


class Tools:
    """The tools. What needs the model counts as a question, and is done one at a time."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._endpoints = Endpoints(studio)
        self._one = anyio.Semaphore(1)

    async def ask(self, context: Call, audio: str, question: str = "", task: str = "qa") -> dict[str, Any]:
        """Ask about an uploaded clip. Tasks: qa (a question), asr (transcribe), s2tt (translate), aac
        (describe the sound), mc (describe the music). The other tools take the `answer_id`."""
        clip = uploaded(audio)
        answer = await self._model(context, lambda api, request: api.ask(clip, question, task, request))
        return {name: value for name, value in answer.items() if name != "tokens"}  # `trace` has them

    async def intervene(
        self, context: Call, answer_id: str, change: dict[str, Any], audio: str | None = None
    ) -> dict[str, Any]:
        """Ask a stored answer's question again with its audio tokens changed: {"kind": "force-expert",
        "expert": 0}, {"kind": "uniform"}, {"kind": "read-all"}, {"kind": "drop-redundant"} or
        {"kind": "keep-redundant"}."""
        clip = uploaded(audio)
        return await self._model(
            context, lambda api, request: api.intervene(answer_id, change, clip, None, request)
        )

    async def deletion_test(
        self, context: Call, answer_id: str, audio: str | None = None, seeds: int = SEEDS
    ) -> dict[str, Any]:
        """Whether an answer needs the audio tokens that the model holds to be redundant."""
        clip = uploaded(audio)
        return await self._model(
            context, lambda api, request: api.deletion_test(answer_id, clip, None, seeds, None, request)
        )

    async def attribute(self, context: Call, answer_id: str, audio: str | None = None) -> dict[str, Any]:
        """What of the clip each word of an answer depended on, in nats for each audio token."""
        clip = uploaded(audio)
        return await self._model(context, lambda api, request: api.attribute(answer_id, clip, request))

    async def trace(self, answer_id: str) -> dict[str, Any]:
        """All that is stored of an answer: its audio tokens with times, routing and redundancy, its model."""
        return await in_thread(lambda: self._endpoints.trace(answer_id))

    async def _model(self, context: Call, work: Callable[[Endpoints, Any], dict[str, Any]]) -> dict[str, Any]:
        """Run `work` on the request, holding a place in the queue that pages wait in as well."""
        place, visitor = uuid.uuid4().hex, visitor_of(context.request_context.request)
        await in_thread(lambda: take_turn(self._studio, place, visitor, lapses=False))
        try:
            async with self._one:
                return await in_thread(lambda: work(self._endpoints, context.request_context.request))
        finally:
            self._studio.running.end(place)


async def in_thread(work: Callable[[], Any]) -> Any:
    """What `work` returns, done in a thread. Raises ToolError with the sentence that it refuses with."""
    try:
        return await run_sync(work)
    except gr.Error as error:
        raise ToolError(str(error.message)) from error


def uploaded(audio: str | None) -> str | None:
    """The file of an upload, given by its path or its address here. Raises ToolError for any other."""
    if not audio:
        return None
    folder = Path(get_upload_folder()).resolve()
    file = Path(unquote(audio.partition(SERVED)[2]) if SERVED in audio else audio).resolve()
    if not (file.is_relative_to(folder) and file.is_file()):
        raise ToolError("There is no such upload. Send the clip to /gradio_api/upload first.")
    return str(file)


def mcp_server(studio: Studio) -> tuple[list[BaseRoute], Callable[[Any], AbstractAsyncContextManager[None]]]:
    """The route /mcp, and what has to run while it is served."""
    server = FastMCP(
        "U-SAM Studio",
        instructions=INSTRUCTIONS,
        json_response=True,
        stateless_http=True,
        log_level="WARNING",
        # The app answers under any host name; `strict_cors` keeps other sites' pages out.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    tools = Tools(studio)
    for tool in (tools.ask, tools.intervene, tools.deletion_test, tools.attribute, tools.trace):
        server.add_tool(tool)
    return server.streamable_http_app().routes, lambda _: server.session_manager.run()
