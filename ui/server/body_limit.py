"""How large the body of a request may be, and how much room uploads leave on the disk."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_MESSAGE = 2 * 2**20
"""Bytes of a request that is not an upload: everything typed on the page is far less."""
FREE_DISK = 2**30
"""Bytes that uploads must leave on the disk."""
_BROKEN_OFF = 3600  # seconds
_MULTIPART = 2**16  # bytes around an uploaded file


class BodyLimit:
    """ASGI middleware: answers 413 to a request with too large a body, 507 to an upload without room for it.

    Gradio measures uploaded files only; other fields, and JSON, it would read to the end.
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
        upload = scope["path"].rstrip("/").endswith("/upload")
        limit = self.max_upload + _MULTIPART if upload else MAX_MESSAGE
        too_large = (
            f"The file is larger than {self.max_upload // 2**20} MB." if upload else "That is too long."
        )
        declared = int(dict(scope["headers"]).get(b"content-length", b"0"))
        if declared > limit:
            await PlainTextResponse(too_large, 413)(scope, receive, send)
            return
        if upload and _free(self.folder) < FREE_DISK + declared:
            full = "There is no room for uploads at the moment. Try again later."
            await PlainTextResponse(full, 507)(scope, receive, send)
            return

        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return message if taken <= limit else {"type": "http.disconnect"}

        try:
            await self.app(scope, counted, send)
        except ClientDisconnect:
            sweep(self.folder)
            if taken > limit:
                await PlainTextResponse(too_large, 413)(scope, receive, send)


def sweep(folder: Path) -> None:
    """Delete what uploads that broke off an hour ago or earlier left; Gradio forgets those files."""
    for file in folder.glob("tmp*"):
        with suppress(OSError):  # gone by now
            if file.is_file() and file.stat().st_mtime < time.time() - _BROKEN_OFF:
                file.unlink()


def _free(folder: Path) -> int:
    """Bytes left on the disk of a folder that may not be there yet."""
    return shutil.disk_usage(folder if folder.is_dir() else tempfile.gettempdir()).free
