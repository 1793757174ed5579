"""Builds the app: database, engine in the background, pages, and how they are served."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import matplotlib
from gradio.routes import App as GradioApp
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from storage import Feedback, StorageError, open_database
from storage.maintenance.scheduler import MaintenanceScheduler
from storage.maintenance.snapshots import Snapshots
from storage.replicas.logins import LoginStore
from storage.replicas.queue_places import RENEW_SECONDS
from storage.replicas.request_counts import RequestCounts
from ui.access.accounts import Accounts, Login
from ui.access.cross_origin import HUGGING_FACE, CrossOriginProtection, SecurityHeaders
from ui.access.logins import LoginTokens
from ui.access.request import IdentifyClient, visitor_of
from ui.api.health import HealthMonitor, health_route, ready_route
from ui.assembly import assemble
from ui.components.annotator_state import MEMORY_STORAGE
from ui.components.tour import TOUR_STYLE
from ui.engines.loader import EngineLoader, LoadEngine
from ui.engines.pool import EnginePool, LoadOther, load_other
from ui.engines.zerogpu import lends_gpu, load_lending
from ui.examples import EXAMPLE_FOLDER
from ui.server.body_limit import BodyLimit
from ui.server.downloads import download_route
from ui.server.large_audio import LargeAudio
from ui.server.metrics import MetricsAccess, metrics_route
from ui.server.middleware import BlockRemoteFiles
from ui.server.plain_errors import explain_errors
from ui.server.queues import SharedQueue
from ui.server.replica_cookie import ReplicaCookie
from ui.server.request_log import RequestId
from ui.server.require_login import RequireLogin
from ui.server.session_state import PAGES_HELD, SessionOwner, cheap_sessions
from ui.server.upload_rate import UploadRate
from ui.settings import MEGABYTE, Settings
from ui.studio.periodic import every
from ui.studio.projects.importer import LOOK_SECONDS
from ui.studio.service import Studio
from ui.studio.tuning.shared_checkpoints import SharedCheckpoints
from ui.studio.tuning.tuned_checkpoints import TunedCheckpoints
from ui.theme import STYLE, theme
from usam.progress import ProgressCallback

if TYPE_CHECKING:
    from usam.engine.engine import Engine

log = logging.getLogger(__name__)

UPLOADS_A_QUESTION = 2
"""A clip is often trimmed before it is asked about, which sends it again."""


@dataclass(frozen=True)
class App:
    """The pages, and what they are made of."""

    demo: gr.Blocks
    studio: Studio
    health: HealthMonitor
    queue: SharedQueue

    def launch(self, **options: Any) -> str:
        """Serve the app; returns its address. `options` are further ones of Gradio's `launch`."""
        # Without this, uvicorn puts what X-Forwarded-For says in the place of the socket's address.
        os.environ["FORWARDED_ALLOW_IPS"] = ""
        _, url, _ = self.demo.launch(**launch_options(self.studio, self.health, self.queue), **options)
        return url


def build(
    settings: Settings, load_engine: LoadEngine | None = None, load_second: LoadOther = load_other
) -> App:
    """The app, with its engine already loading. `load_engine` replaces how the engine is made, `load_second`
    how a second one, to compare answers with, is made.

    Raises StorageError when the database cannot be opened, ValueError for an invalid or missing file of
    accounts: otherwise a mistyped name would leave the app open to all.
    """
    if settings.accounts:
        Accounts(settings.accounts).passwords()
    # Figures go into files. Without this Gradio looks for a screen at the first request, which blocks the
    # event loop for half a second.
    matplotlib.use("agg")
    snapshots = Snapshots(settings.snapshots) if settings.snapshots else None
    if snapshots:
        snapshots.bring_back(settings.database_url)
    database = open_database(settings.database_url, storage=settings.storage)
    maintenance = MaintenanceScheduler(database, settings.backup_hours, settings.retention_days, snapshots)
    maintenance.start()
    tuned = TunedCheckpoints(settings.data, settings.preset)
    loader = EngineLoader(
        _fetching(SharedCheckpoints(tuned, database.files), load_engine or engine_of(settings))
    )
    further = [settings.checkpoints] if settings.checkpoints else []
    pool = EnginePool(loader, [*further, tuned.folder], load_second)
    studio = Studio(loader, Feedback(database), settings, pool)
    if database.served:
        every(RENEW_SECONDS, studio.renew)
        every(RENEW_SECONDS, studio.promotion.follow)
        every(LOOK_SECONDS, studio.importer.look)
    studio.downloads.clean_all()
    studio.teaching.clean()
    demo, queue = assemble(settings, studio, pool)
    explain_errors(demo)
    loader.start()
    studio.importer.resume()
    if lends_gpu():
        loader.join()  # what is on the GPU is packed when the app is launched
    return App(demo, studio, HealthMonitor(loader, database, maintenance), queue)


def _fetching(shared: SharedCheckpoints, load: LoadEngine) -> LoadEngine:
    """Loads once the checkpoints that other machines made are here, the one that answers among them."""

    def fetch_and_load(progress: ProgressCallback) -> Engine:
        try:
            shared.fetch()
        except (StorageError, OSError) as error:
            log.error("the checkpoints of other machines could not be fetched: %s", error)
        return load(progress)

    return fetch_and_load


def engine_of(settings: Settings) -> LoadEngine:
    """Loads the engine the settings name, with the checkpoint that was promoted in the place of the preset's
    own."""

    def load(progress: ProgressCallback) -> Engine:
        if lends_gpu():
            return load_lending(
                settings.preset,
                settings.quantization,
                settings.at_once,
                gr.Error,
                progress,
                settings.llm,
            )
        from usam.engine.engine import (
            Engine,  # imports torch: in the loader's thread, not before the page is up
        )

        promoted = None if settings.llm else TunedCheckpoints(settings.data, settings.preset).serving()
        return Engine.load(
            settings.preset, settings.quantization, checkpoint=promoted, progress=progress, llm=settings.llm
        )

    return load


def signing_in(accounts: Path, shared: RequestCounts | None = None) -> dict[str, Any]:
    """What `launch` needs to ask for an account of this file. shared: see `RateLimit`."""
    return {"auth": Login(Accounts(accounts), shared).admits, "auth_message": "Sign in to U-SAM Studio."}


def session_ended(studio: Studio, queue: SharedQueue, session: str) -> None:
    """A page's state is discarded: nothing is written for it any longer."""
    studio.running.end(session)
    studio.running_experiments.end(session)
    queue.forget(session)


def served_beside(studio: Studio, health: HealthMonitor, queue: SharedQueue) -> dict[str, Any]:
    """The routes that are not Gradio's, and what has to run for them."""
    access = MetricsAccess.of(studio.settings.metrics)
    routes: list[BaseRoute] = [
        health_route(health),
        ready_route(health),
        metrics_route(studio.metrics, access),
        download_route(studio.downloads),
    ]
    serving: Callable[[GradioApp], AbstractAsyncContextManager[Any]] = nullcontext
    if studio.settings.mcp:
        from ui.api.mcp import mcp_server  # half a second that few need

        tools, serving = mcp_server(studio)
        routes += tools

    sessions = cheap_sessions(partial(session_ended, studio, queue))

    @asynccontextmanager
    async def lifespan(app: GradioApp) -> AsyncIterator[None]:
        protect(app, studio.settings)
        app.cookie_id = studio.secrets.cookie
        if accounts := studio.settings.accounts:
            tokens: Any = LoginTokens(LoginStore(studio.feedback.database), Accounts(accounts))
            app.tokens = tokens
        async with sessions(app), serving(app):
            yield

    return {"routes": routes, "lifespan": lifespan}


def protect(app: GradioApp, settings: Settings) -> None:
    """Put the middleware that decides by address, host and origin around all of the app, Gradio's own
    middleware included: that one would allow any origin, and trust the headers of visitors.

    Called before the first request.
    """

    def exposed() -> bool:
        return settings.space or settings.container or app.get_blocks().share

    framed_by = (*settings.embedders, *((HUGGING_FACE,) if settings.space else ()))
    inner: ASGIApp | None = app.middleware_stack
    assert inner is not None  # built for the lifespan already
    inner = CrossOriginProtection(inner, settings.embedders)
    inner = SecurityHeaders(inner, framed_by)
    app.middleware_stack = IdentifyClient(inner, settings.proxies, exposed, settings.space_hosts)


def launch_options(studio: Studio, health: HealthMonitor, queue: SharedQueue) -> dict[str, Any]:
    """What `launch` needs: the look, and limits on what is taken in and given out.

    Host and port come from Gradio's own GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.
    """
    settings = studio.settings
    uploads = studio.limit(UPLOADS_A_QUESTION * settings.per_minute, "uploads")
    body_limit = Middleware(
        BodyLimit, max_upload=settings.max_upload_mb * MEGABYTE, folder=Path(get_upload_folder())
    )
    return {
        **(signing_in(settings.accounts, studio.counts) if settings.accounts else {}),
        "theme": theme(),
        "css_paths": [STYLE, TOUR_STYLE],
        "head": f"<script>{MEMORY_STORAGE.read_text('utf-8')}</script>",
        "footer_links": ["api"],
        "run_history": False,
        "max_file_size": settings.max_upload_mb * MEGABYTE,
        "allowed_paths": [str(EXAMPLE_FOLDER)],
        "blocked_paths": settings.private_paths(),
        "strict_cors": True,
        "state_session_capacity": PAGES_HELD,
        "ssr_mode": False,
        "mcp_server": False,  # ui.api.mcp offers less
        "enable_monitoring": False,
        # Gradio ends a server whose first page takes over 3 s; on a busy machine it may. The server is in
        # reach, as is known by then: it has answered Gradio's own first request, which waits.
        "_frontend": False,
        "app_kwargs": {
            **served_beside(studio, health, queue),
            "middleware": [
                Middleware(RequestId),
                Middleware(BlockRemoteFiles),
                *([Middleware(ReplicaCookie, name=settings.replica)] if settings.replica else []),
                *([Middleware(RequireLogin)] if settings.accounts else []),
                Middleware(UploadRate, take=lambda request: uploads.take(visitor_of(request))),
                body_limit,
                Middleware(LargeAudio, folder=Path(get_upload_folder())),
                Middleware(SessionOwner, visitor_of=visitor_of),
            ],
            "openapi_url": None,  # of Gradio's inner routes; the endpoints' own is /gradio_api/openapi.json
        },
    }
