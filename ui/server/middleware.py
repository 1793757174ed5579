"""What one visitor may take from the others: requests a minute, the size of what is sent, and no proxy."""

from __future__ import annotations

import ipaddress
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from usam.errors import RequestError

MAX_MESSAGE = 2 * 2**20
"""Bytes of a request that is not an upload: everything typed on the page is far less."""
FREE_DISK = 2**30
"""Bytes that uploads must leave on the disk."""
_BROKEN_OFF = 3600  # seconds
_MULTIPART = 2**16  # bytes around an uploaded file


class Rate:
    """At most `count` requests of one visitor within a minute; 0 is no limit. Safe to share between threads.

    A visitor is an address, of IPv6 the network. This machine's own is not limited: whoever runs the app is
    there.
    """

    def __init__(self, count: int, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = count
        self.what = what
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[str, deque[float]] = {}

    def take(self, address: str | None) -> None:
        """Count one request. Raises RequestError when it is one too many."""
        visitor = _visitor(address)
        if not self.count or visitor is None:
            return
        now = self._clock()
        with self._lock:
            # Who sent nothing for a minute is forgotten.
            self._times = {who: times for who, times in self._times.items() if times[-1] > now - 60}
            times = self._times.setdefault(visitor, deque())
            while times and times[0] <= now - 60:
                times.popleft()
            if len(times) >= self.count:
                wait = max(1, round(times[0] + 60 - now))
                raise RequestError(f"At most {self.count} {self.what} a minute. Try again in {wait} s.")
            times.append(now)


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


class OwnFiles:
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


def sweep(folder: Path) -> None:
    """Delete what uploads that broke off an hour ago or earlier left; Gradio forgets those files."""
    for file in folder.glob("tmp*"):
        with suppress(OSError):  # gone by now
            if file.is_file() and file.stat().st_mtime < time.time() - _BROKEN_OFF:
                file.unlink()


def _free(folder: Path) -> int:
    """Bytes left on the disk of a folder that may not be there yet."""
    return shutil.disk_usage(folder if folder.is_dir() else tempfile.gettempdir()).free


def own_machine(address: str | None) -> bool:
    """Whether an address is the server's own machine."""
    return bool(address) and _visitor(address) is None


def _visitor(address: str | None) -> str | None:
    """Who is counted at an address; None for this machine, and where there is no address."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return address or None
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            # A home has 2**64 of these.
            return None if ip.is_loopback else str(ipaddress.ip_network((ip, 64), strict=False))
        ip = ip.ipv4_mapped
    return None if ip.is_loopback else str(ip)
