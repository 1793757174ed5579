"""Files made for one person to download: once, with a key that only their page has."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

log = logging.getLogger(__name__)

ROUTE = "download"
KEPT_SECONDS = 600.0
CHUNK = 2**18  # bytes
GONE = "This file is no longer here: it was downloaded or has expired. Prepare it again."


@dataclass(frozen=True)
class Offer:
    """name: what the browser saves it as.  folder: holds the file and nothing else."""

    key: str
    name: str
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "file"


@dataclass
class Downloads:
    """Offered downloads, kept as files in `folder` until they are fetched, and for `kept` s at most.

    Safe to share between threads. A key is asked for in the body of a request, never in an address: those
    are logged, and remembered.
    """

    folder: Path
    kept: float = KEPT_SECONDS
    _offers: dict[str, Offer] = field(default_factory=dict, repr=False)

    def clean(self) -> None:
        """Delete what an earlier run of the app left."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self, name: str) -> Offer:
        """A place to make a file in; nobody can take it before it is offered. Raises OSError."""
        offer = Offer(secrets.token_urlsafe(32), name, self.folder / secrets.token_hex(8))
        offer.folder.mkdir(mode=0o700, parents=True)
        return offer

    def offer(self, offer: Offer) -> None:
        """The file is complete: whoever has the key may take it, once, and for `kept` s."""
        self._offers[offer.key] = offer
        timer = threading.Timer(self.kept, self.withdraw, [offer])
        timer.daemon = True
        timer.start()

    def withdraw(self, offer: Offer) -> None:
        """Delete a file, taken or not, finished or not."""
        self._offers.pop(offer.key, None)
        shutil.rmtree(offer.folder, ignore_errors=True)

    def take(self, key: str) -> tuple[Offer, BinaryIO] | None:
        """The open file, which has no name on the disk any more; None for a key that opens nothing."""
        offer = self._offers.pop(key, None)  # one step: of two who come at once, one has it
        if offer is None:
            return None
        try:
            return offer, offer.file.open("rb")
        except OSError:
            log.exception("a prepared file cannot be read")
            return None
        finally:
            self.withdraw(offer)


def download_route(downloads: Downloads) -> Route:
    """The route, for Gradio's `app_kwargs`."""

    async def download(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=1) as form:
            taken = downloads.take(str(form.get("key", "")))
        if taken is None:
            return PlainTextResponse(GONE, 404)
        offer, file = taken
        headers = {
            "Content-Disposition": f'attachment; filename="{offer.name}"',
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
