"""Keeps a page from decoding a long recording as a whole, only to draw the waveform of its player."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.server.paths import GRADIO_API, route_path

MOST_DRAWN = 32 * 2**20
"""Bytes of a file that Gradio's player may fetch to draw it: half an hour of MP3. Decoded, an hour takes the
browser more than a gigabyte, a few hours end the page."""
_FILE = f"{GRADIO_API}/file="


class LargeAudio:
    """ASGI middleware: answers 413 where a script fetches a large upload.

    Gradio's player then shows the browser's own, which plays a file piece by piece: it asks for these itself,
    and says so in `Sec-Fetch-Dest`. Without that header, as on plain HTTP, everything is served.
    """

    def __init__(self, app: ASGIApp, folder: Path, most: int = MOST_DRAWN) -> None:
        """folder: where uploads are kept. most: bytes."""
        self.app = app
        self.folder = folder.resolve()
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_too_large(scope):
            await PlainTextResponse("Too large to be drawn.", 413)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_too_large(self, scope: Scope) -> bool:
        path = route_path(scope)
        if not path.startswith(_FILE) or Request(scope).headers.get("sec-fetch-dest") != "empty":
            return False
        with suppress(OSError, ValueError):  # no file, or no name that one can have
            file = Path(path.removeprefix(_FILE)).resolve()
            return file.is_relative_to(self.folder) and file.stat().st_size > self.most
        return False
