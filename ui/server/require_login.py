"""Where there are accounts, refuses changes from visitors who are not signed in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.server.paths import GRADIO_API, route_path

_READING = {"GET", "HEAD", "OPTIONS"}
_SIGNING_IN = {"/login", "/login/"}
_HEARTBEAT = f"{GRADIO_API}/heartbeat/"


class RequireLogin:
    """ASGI middleware: answers 401 to what changes anything, and to heartbeats of pages, without a login.

    Gradio asks for the login too, but only after it has read the body, and for heartbeats not at all. Who is
    signed in is Gradio's own answer: its route `login_check` gets the same headers and no body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_guarded(scope) and not await self._signed_in(scope):
            refusal = JSONResponse({"detail": "Not authenticated", "error": "Please sign in again."}, 401)
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _signed_in(self, scope: Scope) -> bool:
        path = f"{scope.get('root_path', '')}{GRADIO_API}/login_check"
        check = {**scope, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
        # Headers that describe the body belong to the request that has one.
        check["headers"] = [
            (name, value)
            for name, value in scope["headers"]
            if name not in (b"content-length", b"transfer-encoding", b"content-type")
        ]
        statuses: list[int] = []

        async def no_body() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def read(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await self.app(check, no_body, read)
        return statuses == [200]


def _is_guarded(scope: Scope) -> bool:
    path = route_path(scope)
    if path.startswith(_HEARTBEAT):
        return True
    return Request(scope).method not in _READING and path not in _SIGNING_IN
