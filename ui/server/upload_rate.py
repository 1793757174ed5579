"""How many files one visitor may send a minute."""

from __future__ import annotations

from collections.abc import Callable

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.server.paths import is_upload
from usam.errors import RequestError


class UploadRate:
    """ASGI middleware: answers 429 to an upload that is one too many, before its body is read."""

    def __init__(self, app: ASGIApp, take: Callable[[Request], None]) -> None:
        """take: counts an upload of whoever sends the request; raises RequestError with the sentence."""
        self.app = app
        self.take = take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_upload(scope):
            try:
                await run_sync(self.take, Request(scope))
            except RequestError as error:
                await PlainTextResponse(str(error), 429)(scope, receive, send)
                return
        await self.app(scope, receive, send)
