"""Puts the pages and endpoints together into one app of Gradio's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio.routes import App

from ui.access.admin import AdminGate
from ui.api.routes import add_endpoints
from ui.components.turns import share_queues
from ui.engines.pool import EnginePool
from ui.pages.annotate import annotate_page
from ui.pages.ask.events import connect
from ui.pages.ask.page import build_page
from ui.pages.browse import browse_page
from ui.pages.dashboard import dashboard_page
from ui.pages.projects import projects_page
from ui.pages.teach import teach_page
from ui.server.queues import SharedQueue
from ui.server.session_state import PAGES_HELD
from ui.settings import CACHE_SECONDS, Settings
from ui.studio.service import Studio

CACHE_SWEEP = 3600  # seconds between looks for uploads that are old enough to go


@contextmanager
def no_interim_apps() -> Iterator[None]:
    """While pages are put together, make no app that does not serve.

    For each page that ends, and for the queue, Gradio makes all of FastAPI's routes once more. That
    took 1.2 of the assembly's 2 s. Launching makes the app that serves, and is told by its options.
    """
    make = App.create_app

    def make_serving(blocks: gr.Blocks, **options: Any) -> App | None:
        return make(blocks, **options) if options.keys() - {"mcp_server"} else None

    App.create_app = staticmethod(make_serving)  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        App.create_app = staticmethod(make)  # type: ignore[method-assign]


@no_interim_apps()
def assemble(settings: Settings, studio: Studio, pool: EnginePool) -> tuple[gr.Blocks, SharedQueue]:
    """All pages with their events, and the queue that they share."""
    with gr.Blocks(
        title="U-SAM Studio",
        analytics_enabled=False,
        delete_cache=(CACHE_SWEEP, CACHE_SECONDS),
        fill_width=True,
    ) as demo:
        page = build_page(settings, studio.identity, pool.checkpoint_names(settings.preset))
        add_endpoints(studio)  # before the page's own events, which would take the same names
        connect(demo, page, studio)
    with demo.route("Annotate", "/annotate"):
        annotate_page(demo, studio)
    gate = AdminGate(settings.dashboard_password, studio.identity, studio.counts)
    with demo.route("Dashboard", "/dashboard"):
        dashboard_page(demo, studio, gate)
    with demo.route("Browse", "/browse"):
        browse_page(demo, studio, gate)
    with demo.route("Teach", "/teach"):
        teach_page(demo, studio, gate)
    with demo.route("Projects", "/projects"):
        projects_page(demo, studio, gate)
    # Room for ratings beside the questions, which are counted before they get here (`AskHandlers.reserve`).
    size = settings.max_waiting + PAGES_HELD
    return demo, share_queues(demo, studio, size)
