"""Files made for one person to download: once, with a key that only their page has."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from storage import StorageError
from storage.replicas.prepared_files import PreparedFiles

log = logging.getLogger(__name__)

ROUTE = "download"
KEPT_SECONDS = 600.0
ABANDONED = 24 * 3600.0  # s
CHUNK = 2**18  # bytes
GONE = "This file is no longer here: it was downloaded or has expired. Prepare it again."


@dataclass(frozen=True)
class Offer:
    """name: what the browser saves it as.  folder: where it is made; holds the file and nothing else."""

    key: str
    name: str
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "file"


@dataclass(frozen=True)
class Downloads:
    """Offered downloads, until they are fetched, and for `kept` s at most, at any process of the app.

    Safe to share between threads. A key is asked for in the body of a request, never in an address: those
    are logged, and remembered.
    """

    prepared: PreparedFiles
    kept: float = KEPT_SECONDS

    @property
    def folder(self) -> Path:
        """Where files are made."""
        return self.prepared.database.folder / "preparing"

    def clean(self) -> None:
        """Delete what expired. Raises StorageError."""
        self.prepared.clean()

    def clean_all(self) -> None:
        """Delete also what an earlier run of the app left. Raises StorageError."""
        self.prepared.clean_all()
        with suppress(OSError):  # gone by now
            for place in self.folder.glob("*"):
                if place.stat().st_mtime < time.time() - ABANDONED:
                    shutil.rmtree(place, ignore_errors=True)

    def begin(self, name: str) -> Offer:
        """A place to make a file in; nobody can take it before it is offered. Raises OSError."""
        offer = Offer(secrets.token_urlsafe(32), name, self.folder / secrets.token_hex(8))
        offer.folder.mkdir(mode=0o700, parents=True)
        return offer

    def offer(self, offer: Offer) -> None:
        """The file is complete: whoever has the key may take it. Raises StorageError."""
        self.prepared.offer(offer.key, offer.name, offer.file, timedelta(seconds=self.kept))
        timer = threading.Timer(self.kept + 1, self._expire)
        timer.daemon = True
        timer.start()

    def withdraw(self, offer: Offer) -> None:
        """Delete the place where a file was made; what is offered stays."""
        shutil.rmtree(offer.folder, ignore_errors=True)

    def take(self, key: str) -> tuple[str, BinaryIO] | None:
        """Its name, and the open file, which nobody else gets; None for a key that opens nothing."""
        try:
            return self.prepared.take(key)
        except StorageError:
            log.exception("a prepared file cannot be read")
            return None

    def _expire(self) -> None:
        with suppress(StorageError):  # the next one, or the next start, tries again
            self.clean()


def download_route(downloads: Downloads) -> Route:
    """The route, for Gradio's `app_kwargs`."""

    async def download(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=1) as form:
            taken = await run_sync(downloads.take, str(form.get("key", "")))
        if taken is None:
            return PlainTextResponse(GONE, 404)
        name, file = taken
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(os.fstat(file.fileno()).st_size),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingResponse(_chunks(file), headers=headers, media_type="application/zip")

    return Route(f"/{ROUTE}", download, methods=["POST"])


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
