"""`/metrics`: figures for Prometheus, of this process. Closed unless a setting opens it.

A figure is counted where it happens; what can be looked up is looked up when Prometheus asks.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from anyio.to_thread import run_sync
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)


class Metrics:
    """Of one process. Every figure has the label `replica`, empty where there is one process alone."""

    def __init__(self, replica: str = "") -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="usam", registry=self.registry)
        self._replica = replica
        self._questions = self._counter("questions", "Questions that were asked, by their end", "outcome")
        self._first_token = self._seconds("first_token", "Seconds from a question's turn to its first word")
        self._answers = self._seconds("answer", "Seconds from a question's turn to its whole answer")
        self._saves = self._counter("saves", "Ratings that were sent, by their end", "outcome")
        self._save_seconds = self._seconds("save", "Seconds until a rating was saved")
        self._errors = self._counter("errors", "Failures that nobody expected, by where they were", "where")

    def watch(self, name: str, what: str, value: Callable[[], float]) -> None:
        """Look a figure up whenever it is asked for."""
        gauge = Gauge(name, what, ["replica"], namespace="usam", registry=self.registry)
        gauge.labels(self._replica).set_function(value)

    def first_token(self, seconds: float) -> None:
        self._first_token.labels(self._replica).observe(seconds)

    def question(self, outcome: str, seconds: float | None = None) -> None:
        """outcome: `answered`, `stopped`, `refused` or `failed`.  seconds: of an answer."""
        self._questions.labels(self._replica, outcome).inc()
        if seconds is not None:
            self._answers.labels(self._replica).observe(seconds)

    def error(self, where: str) -> None:
        self._errors.labels(self._replica, where).inc()

    @contextmanager
    def save(self) -> Iterator[None]:
        """A rating is being saved."""
        began = perf_counter()
        try:
            yield
        except BaseException:
            self._saves.labels(self._replica, "failed").inc()
            raise
        self._saves.labels(self._replica, "done").inc()
        self._save_seconds.labels(self._replica).observe(perf_counter() - began)

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self.registry)

    def _counter(self, name: str, what: str, label: str) -> Counter:
        return Counter(name, what, ["replica", label], namespace="usam", registry=self.registry)

    def _seconds(self, name: str, what: str) -> Histogram:
        return Histogram(
            f"{name}_seconds", what, ["replica"], namespace="usam", registry=self.registry, buckets=SECONDS
        )


@dataclass(frozen=True)
class MetricsAccess:
    """Who may read the figures: nobody, whoever sends `token` as a bearer's, or, for `open`, everybody."""

    token: str = ""
    open: bool = False

    @classmethod
    def of(cls, setting: str) -> MetricsAccess:
        """setting: empty, `open`, or the token."""
        return cls(open=True) if setting == "open" else cls(token=setting)

    def admits(self, request: Request) -> bool:
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        right = hmac.compare_digest(sent.encode("utf-8", "replace"), self.token.encode())
        return self.open or (bool(self.token) and right)


def metrics_route(metrics: Metrics, access: MetricsAccess) -> Route:
    """The route, for Gradio's `app_kwargs`. It is not there for whom it is closed."""

    async def figures(request: Request) -> Response:
        if not access.admits(request):
            return PlainTextResponse("Not Found", 404)
        return Response(await run_sync(metrics.text), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", figures, methods=["GET"])
