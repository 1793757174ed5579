"""`/health`, as a container's or a proxy's watch asks it."""

import threading
from pathlib import Path

import httpx
import pytest

from tests.fake_engine import FakeEngine
from tests.serving import serve, settings_in
from ui.api.health import describe
from ui.build import build
from ui.engines.loader import LoadState
from usam.progress import ProgressCallback


def test_health_is_reported_while_the_model_loads_and_after(tmp_path: Path) -> None:
    started, go_on, ready = threading.Event(), threading.Event(), threading.Event()

    def load(progress: ProgressCallback) -> FakeEngine:
        progress("Fetching Whisper base", 0.4)
        started.set()
        go_on.wait(60)
        return FakeEngine()

    with serve(settings_in(tmp_path), load) as url:
        started.wait(60)
        reply = httpx.get(f"{url}health")
        assert reply.status_code == 200
        assert reply.json() == {
            "status": "loading",
            "step": "Fetching Whisper base",
            "progress": 0.4,
            "error": None,
            "problems": [],
            "warnings": [],
        }
        go_on.set()
        for _ in range(100):
            if httpx.get(f"{url}health").json()["status"] == "ready":
                break
            ready.wait(0.1)
        assert httpx.get(f"{url}health").json()["status"] == "ready"
        assert httpx.head(f"{url}health").status_code == 200


def test_a_model_that_cannot_be_loaded_is_not_healthy(tmp_path: Path) -> None:
    def load(progress: ProgressCallback) -> FakeEngine:
        raise RuntimeError("secret detail")

    with serve(settings_in(tmp_path), load) as url:
        for _ in range(100):
            reply = httpx.get(f"{url}health")
            if reply.status_code == 503:
                break
            threading.Event().wait(0.1)
        assert reply.status_code == 503
        assert reply.json()["status"] == "failed"
        assert "secret" not in reply.text


def test_a_server_whose_database_is_gone_is_not_healthy(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with serve(settings, lambda progress: FakeEngine()) as url:
        (tmp_path / "feedback.db").unlink()
        reply = httpx.get(f"{url}health")
        assert reply.status_code == 503
        assert reply.json()["status"] == "failed"
        assert "database" in reply.json()["error"]


@pytest.mark.parametrize(
    ("state", "status"),
    [(LoadState(), "loading"), (LoadState(ready=True), "ready"), (LoadState(error="No."), "failed")],
)
def test_status_is_one_word(state: LoadState, status: str) -> None:
    assert describe(state)["status"] == status


def test_a_proxy_sends_visitors_once_the_model_is_there_and_while_nothing_is_broken(tmp_path: Path) -> None:
    go_on = threading.Event()

    def load(progress: ProgressCallback) -> FakeEngine:
        go_on.wait(60)
        return FakeEngine()

    app = build(settings_in(tmp_path), load)  # type: ignore[arg-type]
    url = app.launch(prevent_thread_lock=True, quiet=True)
    try:
        assert httpx.get(f"{url}ready").status_code == 503
        assert httpx.get(f"{url}health").status_code == 200, "a restart would not help"
        go_on.set()
        app.studio.loader.join()
        assert httpx.get(f"{url}ready").json() == {"ready": True}
        app.health.problems = lambda: ["The disk is nearly full."]  # type: ignore[method-assign]
        assert httpx.get(f"{url}ready").status_code == 503
    finally:
        app.demo.close(verbose=False)


def test_a_server_starts_though_its_first_page_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*args: object, **options: object) -> httpx.Response:
        raise httpx.ReadTimeout("the page took over 3 s")

    monkeypatch.setattr(httpx, "head", late)  # by which Gradio asks for the first page
    with serve(settings_in(tmp_path), lambda progress: FakeEngine()) as url:
        assert httpx.get(f"{url}health").status_code == 200
