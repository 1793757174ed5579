"""The pages, put together without apps that nobody is served by."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio.routes import App

from tests.fake_engine import FakeEngine
from tests.serving import settings_in
from ui.build import build


def test_one_app_is_made_when_it_is_launched_and_has_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = App.create_app, []

    def count(blocks: Any, **options: Any) -> App:
        made.append(options)
        return make(blocks, **options)

    monkeypatch.setattr(App, "create_app", staticmethod(count))
    app = build(settings_in(tmp_path), lambda progress: FakeEngine())
    assert made == []
    url = app.launch(prevent_thread_lock=True, quiet=True)
    try:
        assert sum("app_kwargs" in options for options in made) == 1
        for page in ("", "annotate", "dashboard", "browse", "teach", "projects"):
            assert httpx.get(f"{url}{page}").status_code == 200
        paths = httpx.get(f"{url}gradio_api/openapi.json").json()["paths"]
        assert any("ask" in path for path in paths)
    finally:
        app.demo.close(verbose=False)
