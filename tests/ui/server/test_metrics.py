"""Figures for Prometheus: counted where it happens, and closed unless opened."""

import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from storage import Feedback, open_database
from storage.errors import NotFoundError
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, settings_in
from ui.engines.loader import EngineLoader
from ui.server.metrics import Metrics, MetricsAccess, metrics_route
from ui.studio.service import AskRequest, Studio
from usam.errors import UsamError

TOKEN = "a token of some length"


def test_what_happened_is_counted_by_replica(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, replica="a")
    feedback = Feedback(open_database(settings.database_url))
    engine = FakeEngine(pause=0)
    studio = Studio(EngineLoader(lambda progress: engine), feedback, settings)  # type: ignore[arg-type, return-value]

    def ask(text: str) -> str:
        *_, entry = studio.ask(
            AskRequest(text, "qa", str(EXAMPLES / "sound-dog.ogg")), "me", threading.Event()
        )
        return str(entry.answer_id)  # type: ignore[union-attr]

    answer = ask("What?")
    studio.feedback.rate(answer, "me", thumb=1)
    with pytest.raises(NotFoundError):
        studio.feedback.rate("gone", "me", thumb=1)
    for failure in ("fail", "crash"):
        with pytest.raises(UsamError):
            ask(failure)
    text = studio.metrics.text().decode()
    for line in (
        'usam_questions_total{outcome="answered",replica="a"} 1.0',
        'usam_questions_total{outcome="refused",replica="a"} 1.0',
        'usam_questions_total{outcome="failed",replica="a"} 1.0',
        'usam_errors_total{replica="a",where="answer"} 1.0',
        'usam_first_token_seconds_count{replica="a"} 1.0',
        'usam_answer_seconds_count{replica="a"} 1.0',
        'usam_saves_total{outcome="done",replica="a"} 1.0',
        'usam_saves_total{outcome="failed",replica="a"} 1.0',
        'usam_save_seconds_count{replica="a"} 1.0',
        'usam_waiting{replica="a"} 0.0',
        'usam_ready{replica="a"} 1.0',
    ):
        assert line in text, line


@pytest.mark.parametrize(
    ("setting", "sent", "status"),
    [
        ("", {}, 404),
        ("", {"Authorization": "Bearer"}, 404),
        (TOKEN, {}, 404),
        (TOKEN, {"Authorization": "Bearer another token"}, 404),
        (TOKEN, {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("open", {}, 200),
    ],
)
def test_the_route_opens_to_whom_the_setting_says(setting: str, sent: dict[str, str], status: int) -> None:
    app = Starlette(routes=[metrics_route(Metrics(), MetricsAccess.of(setting))])
    assert TestClient(app).get("/metrics", headers=sent).status_code == status
