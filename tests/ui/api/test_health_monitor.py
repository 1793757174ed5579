"""What `/health` finds broken: the database, the disk, what runs in the background."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage import Database, open_database
from storage.maintenance.scheduler import MaintenanceScheduler
from ui.api.health import LOOK_SECONDS, MIN_FREE_DISK, HealthMonitor, describe
from ui.engines.loader import EngineLoader, LoadState


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'feedback.db'}")
    yield opened
    opened.close()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def monitor(database: Database, now: list[float]) -> HealthMonitor:
    loader = EngineLoader(lambda progress: None)  # type: ignore[arg-type, return-value]
    return HealthMonitor(loader, database, MaintenanceScheduler(database), lambda: now[0])


def test_a_sound_server_has_no_problems(monitor: HealthMonitor) -> None:
    assert monitor.problems() == []
    assert monitor.warnings() == []


def test_a_database_that_is_gone_is_found(monitor: HealthMonitor, database: Database) -> None:
    assert database.file is not None
    database.file.unlink()
    (problem,) = monitor.problems()
    assert "gone" in problem


def test_a_full_disk_is_found(monitor: HealthMonitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=MIN_FREE_DISK - 1))
    (problem,) = monitor.problems()
    assert "disk" in problem


def test_who_asks_often_gets_what_was_found_last(
    monitor: HealthMonitor, database: Database, now: list[float]
) -> None:
    monitor.problems()
    assert database.file is not None
    database.file.unlink()
    now[0] += LOOK_SECONDS - 1
    assert monitor.problems() == []
    now[0] += 1
    assert monitor.problems()


def test_what_failed_in_the_background_is_a_warning_without_a_path(monitor: HealthMonitor) -> None:
    monitor.maintenance.failures["backup"] = "The folder /secret cannot be written."
    (warning,) = monitor.warnings()
    assert "backup" in warning
    assert "secret" not in warning


def test_the_model_and_the_database_can_be_broken_at_once() -> None:
    body = describe(LoadState(error="No model."), ["No database."])
    assert body["status"] == "failed"
    assert body["error"] == "No model."
    assert body["problems"] == ["No model.", "No database."]
