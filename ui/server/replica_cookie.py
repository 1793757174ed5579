"""Names the process that serves a page, so that a proxy sends what follows to the same one."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "studio_replica"


class ReplicaCookie:
    """ASGI middleware: whoever comes without the cookie of this process, or with another one's, gets it."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self.app = app
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or Request(scope).cookies.get(COOKIE) == self.name:
            await self.app(scope, receive, send)
            return

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", f"{COOKIE}={self.name}; Path=/; HttpOnly")
            await send(message)

        await self.app(scope, receive, named)
