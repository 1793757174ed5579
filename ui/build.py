"""Puts the app together: database, engine in the background, page, events, endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import Feedback, open_database
from storage.upkeep import Upkeep
from ui.annotate import annotate_page
from ui.api import add_endpoints
from ui.dashboard import dashboard_page
from ui.events import connect
from ui.examples import EXAMPLE_FOLDER
from ui.loading import EngineLoader, LoadEngine, Progress
from ui.page import build_page
from ui.settings import CACHE_SECONDS, MAX_UPLOAD, Settings
from ui.studio import Studio
from ui.theme import STYLE, theme

if TYPE_CHECKING:
    from usam.engine import Engine

LINE_LENGTH = 32
LIGHT_EVENTS = 8
PAGES_HELD = 200


def build(settings: Settings, load_engine: LoadEngine | None = None) -> gr.Blocks:
    """The app, with its engine already loading. `load_engine` replaces how the engine is made.

    Raises StorageError when the database cannot be opened.
    """
    loader = EngineLoader(load_engine or engine_of(settings))
    database = open_database(settings.database_url)
    Upkeep(database, settings.backup_hours, settings.retention_days).start()
    studio = Studio(loader, Feedback(database), settings)
    with gr.Blocks(
        title="U-SAM Studio",
        analytics_enabled=False,
        delete_cache=(CACHE_SECONDS, CACHE_SECONDS),
        fill_width=True,
    ) as demo:
        page = build_page(settings)
        add_endpoints(studio)  # before the page's own events, which would take the same names
        connect(demo, page, studio)
    with demo.route("Annotate", "/annotate"):
        annotate_page(demo, studio)
    with demo.route("Dashboard", "/dashboard"):
        dashboard_page(demo, studio)
    demo.queue(max_size=LINE_LENGTH, default_concurrency_limit=LIGHT_EVENTS, api_open=False)
    loader.start()
    return demo


def engine_of(settings: Settings) -> LoadEngine:
    """Loads the engine the settings name."""

    def load(progress: Progress) -> Engine:
        from usam.engine import Engine  # imports torch: in the loader's thread, not before the page is up

        return Engine.load(settings.preset, settings.quantization, progress=progress)

    return load


def launch_options(settings: Settings) -> dict[str, Any]:
    """What `launch` needs: the look, and limits on what is taken in and given out.

    Host and port come from Gradio's own GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.
    """
    return {
        "theme": theme(),
        "css_paths": STYLE,
        "footer_links": ["api"],
        "run_history": False,
        "max_file_size": MAX_UPLOAD,
        "allowed_paths": [str(EXAMPLE_FOLDER)],
        "blocked_paths": settings.private_paths(),
        "strict_cors": True,
        "state_session_capacity": PAGES_HELD,
        "ssr_mode": False,
    }
