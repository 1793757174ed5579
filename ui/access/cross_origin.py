"""What pages of other sites may do with the app in a visitor's browser: nothing, unless they are named."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REFUSED = "Another site's page sent this. Open the app itself to do it."
HUGGING_FACE = "https://huggingface.co"  # frames Spaces

_SAFE = {"GET", "HEAD", "OPTIONS"}
_CHANGING = "/logout"  # by GET

# Gradio's page holds its settings in an inline script, and makes functions of the events' JavaScript.
_CONTENT = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors "
)


class CrossOriginProtection:
    """ASGI middleware: answers 403 to what changes something and was sent by another site's page, a sibling
    subdomain's included. Programs send neither Origin nor Sec-Fetch-Site and are not concerned.

    What another site's page only reads, its browser keeps from it: Gradio, which would allow any origin, sees
    no Origin header, and origins named as embedders alone are allowed here.
    """

    def __init__(self, app: ASGIApp, embedders: tuple[str, ...] = ()) -> None:
        """embedders: origins, such as https://wiki.example.org, whose pages hold the app."""
        self.app = app
        self.embedders = frozenset(embedders)
        self.inner: ASGIApp = self._without_origin
        if embedders:
            self.inner = CORSMiddleware(
                self._without_origin,
                allow_origins=embedders,
                allow_credentials=True,
                allow_methods=("GET", "POST"),
                allow_headers=("*",),
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not self._admits(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            changing = scope["method"] not in _SAFE or scope["path"].rstrip("/").endswith(_CHANGING)
            if changing and not self._admits(Headers(scope=scope)):
                await PlainTextResponse(REFUSED, 403)(scope, receive, send)
                return
        await self.inner(scope, receive, send)

    def _admits(self, headers: Headers) -> bool:
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin in self.embedders:
            return True
        if site is not None:  # browsers send it on TLS and localhost, whatever proxies do to Host
            return site in ("same-origin", "none")
        return origin is None or _host_of(origin) == headers.get("host", "").lower()

    async def _without_origin(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "headers" in scope:
            scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"origin"]}
        await self.app(scope, receive, send)


class SecurityHeaders:
    """ASGI middleware: sets the headers that tell browsers which sites may frame the app, what its pages may
    load, and which sites get its cookies."""

    def __init__(self, app: ASGIApp, framed_by: tuple[str, ...] = ()) -> None:
        """framed_by: the other origins that may frame the app."""
        self.app = app
        self.framed = bool(framed_by)
        self.policy = _CONTENT + " ".join(("'self'", *framed_by))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._guard(message, scope["scheme"] == "https")
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)

    def _guard(self, message: Message, secure: bool) -> None:
        message["headers"] = [
            (name, self._cookie(value.decode("latin1"), secure).encode("latin1"))
            if name.lower() == b"set-cookie"
            else (name, value)
            for name, value in message.get("headers", ())
        ]
        headers = MutableHeaders(scope=message)
        headers.append("Content-Security-Policy", self.policy)  # beside one that is there: both hold
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"  # addresses of the app hold the ids of answers
        # Links on pages are made from the Host header: no cache between may hand them to others.
        headers.setdefault("Cache-Control", "private")

    def _cookie(self, cookie: str, secure: bool) -> str:
        """Lax, and Secure over TLS. A frame on another site gets its cookies back only as None, and is signed
        in in every browser only as Partitioned, which keeps them from every other site all the same."""
        parts = [part.strip() for part in cookie.split(";")]
        kept = [
            part
            for part in parts
            if part.partition("=")[0].lower() not in ("samesite", "secure", "partitioned")
        ]
        secure = secure or (len(kept) < len(parts) and any(part.lower() == "secure" for part in parts))
        if self.framed and secure:
            return "; ".join((*kept, "SameSite=None", "Secure", "Partitioned"))
        return "; ".join((*kept, "SameSite=Lax", *(["Secure"] if secure else [])))


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
