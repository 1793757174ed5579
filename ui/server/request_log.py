"""A number for each request, in every line of the log that it causes and in the sentence of an error.

`configure_logging` writes the log as lines of JSON where a setting asks for it.
"""

from __future__ import annotations

import json
import logging
import secrets
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered; empty outside of one."""


class RequestId:
    """ASGI middleware: gives each request a number, and tells it in the response. One that a proxy or a
    visitor sends is not taken over: it goes into the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = secrets.token_hex(6)
        scope.setdefault("state", {})["request_id"] = number

        async def numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = number
            await send(message)

        token = request_id.set(number)
        try:
            await self.app(scope, receive, numbered)
        finally:
            request_id.reset(token)


def request_id_of(request: Any) -> str:
    """The number of a request of Gradio or Starlette, also of one whose event waited in a queue."""
    number = getattr(getattr(request, "state", None), "request_id", "")
    return number if isinstance(number, str) else ""


def with_request_id(sentence: str) -> str:
    """The sentence, with the number to look for in the log."""
    number = request_id.get()
    return f"{sentence} (request {number})" if number else sentence


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message, and request, replica and exception where there are."""

    def __init__(self, replica: str) -> None:
        super().__init__()
        self.replica = replica

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := getattr(record, "request", request_id.get()):
            line["request"] = number
        if self.replica:
            line["replica"] = self.replica
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(replica: str, stream: TextIO | None = None) -> None:
    """Write the log of the whole program, from level INFO on, as lines of JSON to standard error."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(replica))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
