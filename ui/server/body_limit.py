"""How much one request may send."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.server.paths import is_upload

MAX_MESSAGE = 2**20
"""Bytes of a request that is not an upload: everything typed on the page is far less."""
FREE_DISK = 2**30
"""Bytes that uploads must leave on the disk."""
_BROKEN_OFF = 3600  # seconds
_MULTIPART = 2**16  # bytes around an uploaded file
_MOST_DIGITS = 18  # of a length; Python refuses to parse numbers of thousands of digits


class BodyLimit:
    """ASGI middleware: answers 413 to a request with too large a body, 400 to one whose length is no number,
    507 to an upload without disk space for it.

    Gradio measures uploaded files only; other fields, and JSON, it would read to the end. What is announced
    is refused unread; what is not is counted as it comes, and the app gets no byte past the limit.
    """

    def __init__(self, app: ASGIApp, max_upload: int, folder: Path) -> None:
        """max_upload: bytes of a file. folder: where uploads are kept."""
        self.app = app
        self.max_upload = max_upload
        self.folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        upload = is_upload(scope)
        limit = self.max_upload + _MULTIPART if upload else MAX_MESSAGE
        too_large = _refusal(
            413,
            f"The file is larger than {self.max_upload // 2**20} MB." if upload else "That is too long.",
            as_text=upload,
        )
        try:
            declared = _declared_length(scope)
        except ValueError:
            await _refusal(400, "The request's length is not a number.")(scope, receive, send)
            return
        if declared > limit:
            await too_large(scope, receive, send)
            return
        if upload and _free(self.folder) < FREE_DISK + declared:
            full = "There is no disk space for uploads at the moment. Try again later."
            await _refusal(507, full, as_text=True)(scope, receive, send)
            return
        await self._counted(scope, receive, send, limit, too_large)

    async def _counted(
        self, scope: Scope, receive: Receive, send: Send, limit: int, too_large: Response
    ) -> None:
        """Serve the request, as long as its body stays within the limit."""
        taken = 0
        started = False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return message if taken <= limit else {"type": "http.disconnect"}

        async def answered(message: Message) -> None:
            """The app's response, except its response to a body that was cut off."""
            nonlocal started
            if taken <= limit or started:
                started = True
                await send(message)

        try:
            await self.app(scope, counted, answered)
        except ClientDisconnect:
            sweep(self.folder)
        if taken > limit and not started:
            await too_large(scope, receive, send)


def _declared_length(scope: Scope) -> int:
    """Bytes that the request declares; 0 where it declares none. Raises ValueError for anything but a
    number."""
    lengths = {value.strip() for name, value in scope["headers"] if name == b"content-length"}
    if not lengths:
        return 0
    if len(lengths) > 1 or not (length := lengths.pop()).isdigit():
        raise ValueError
    return int(length) if len(length) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _refusal(status: int, sentence: str, *, as_text: bool = False) -> Response:
    """The sentence as Gradio's page reads it: from uploads as text, from anything else as JSON."""
    if as_text:
        return PlainTextResponse(sentence, status)
    content = json.dumps({"error": sentence, "detail": sentence})
    return Response(content, status, media_type="application/json")


def sweep(folder: Path) -> None:
    """Delete what uploads that broke off an hour ago or earlier left; Gradio forgets those files."""
    for file in folder.glob("tmp*"):
        with suppress(OSError):  # gone by now
            if file.is_file() and file.stat().st_mtime < time.time() - _BROKEN_OFF:
                file.unlink()


def _free(folder: Path) -> int:
    """Bytes left on the disk of a folder that may not be there yet."""
    return shutil.disk_usage(folder if folder.is_dir() else tempfile.gettempdir()).free
