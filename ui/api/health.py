"""`/health`: for whoever watches over the server, also while the model still loads."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ui.engines.loader import EngineLoader, LoadState


def health_route(loader: EngineLoader) -> Route:
    """The route, for Gradio's `app_kwargs`."""

    async def health(request: Request) -> JSONResponse:
        state = loader.state
        return JSONResponse(describe(state), 503 if state.error else 200, {"Cache-Control": "no-store"})

    return Route("/health", health, methods=["GET", "HEAD"])


def describe(state: LoadState) -> dict[str, str | float | None]:
    """`status` is loading, ready or failed; `step` and `progress`, from 0 to 1, say how far the model is."""
    status = "failed" if state.error else "ready" if state.ready else "loading"
    return {"status": status, "step": state.step, "progress": round(state.fraction, 3), "error": state.error}
