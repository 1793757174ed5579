"""Refuses requests that Gradio would answer."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class BlockRemoteFiles:
    """ASGI middleware: answers 403 to requests that make the server fetch from elsewhere.

    Gradio streams `/file=https://...` from any public address, which makes an open proxy of an app in public.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].lower() if scope["type"] == "http" else ""
        if any(part in path for part in ("/file=http:", "/file=https:", "/file/http", "/proxy=")):
            await PlainTextResponse("Only the app's own files are served.", 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
