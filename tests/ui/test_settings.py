"""Settings from the environment."""

from datetime import timedelta
from pathlib import Path

import pytest

from storage import Feedback, open_database
from storage.annotation.imports import NewItem, ProjectImports
from storage.annotation.projects import Projects
from storage.maintenance.scheduler import MaintenanceScheduler
from storage.replicas.prepared_files import PreparedFiles
from tests.ui.pages.records import record
from ui.server.downloads import Downloads
from ui.settings import Settings, sqlite_url


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("USAM_DATA", str(tmp_path))
    monkeypatch.setattr("ui.settings.in_container", lambda environ: False)  # where the tests may well run
    settings = Settings.from_environment({"USAM_QUANTIZATION": "none", "USAM_MAX_SECONDS": "12"})
    assert settings == Settings(tmp_path, sqlite_url(tmp_path), quantization="none", max_seconds=12.0)


@pytest.mark.parametrize("wrong", ["0", "31", "abc", "nan", "-5"])
def test_an_impossible_length_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="USAM_MAX_SECONDS"):
        Settings.from_environment({"USAM_MAX_SECONDS": wrong})


@pytest.mark.parametrize(
    ("text", "names"), [("fluency, tone,fluency", ("fluency", "tone")), ("", ()), ("accuracy", ("accuracy",))]
)
def test_the_dimensions_are_the_teams_own(text: str, names: tuple[str, ...]) -> None:
    assert Settings.from_environment({"USAM_DIMENSIONS": text}).dimensions == names
    with pytest.raises(ValueError, match="USAM_DIMENSIONS"):
        Settings.from_environment({"USAM_DIMENSIONS": f"{text},No Good"})


@pytest.mark.parametrize("wrong", ["0", "-1", "soon", "nan", "inf"])
@pytest.mark.parametrize("name", ["USAM_RETENTION_DAYS", "USAM_BACKUP_HOURS"])
def test_an_impossible_period_is_refused(name: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_environment({name: wrong})


@pytest.mark.parametrize("text", ["short", "fifteen letters"])
def test_a_secret_that_can_be_guessed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="USAM_SECRET"):
        Settings.from_environment({"USAM_SECRET": text})


def test_a_database_elsewhere_is_private_too(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "mine.db"
    paths = Settings(tmp_path / "data", f"sqlite:///{file}").private_paths()
    assert {str(tmp_path / "data"), str(file), f"{file}-wal"} <= set(paths)
    assert str(file.parent) not in paths


@pytest.mark.parametrize("beginning", ["", "file://"])
def test_a_folder_for_storage_is_private(tmp_path: Path, beginning: str) -> None:
    named = f"{beginning}{tmp_path}/data/../common"
    paths = Settings(tmp_path / "data", sqlite_url(tmp_path / "data"), storage=named).private_paths()
    assert str(tmp_path / "common") in paths


def test_what_is_kept_beside_a_database_elsewhere_is_private(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "data", f"sqlite:///{tmp_path / 'elsewhere' / 'mine.db'}")
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    database = open_database(settings.database_url)
    Feedback(database).record_answer(record(1), annotator="me", audio_path=str(clip))
    Projects(database).make("birds")
    ProjectImports(database).add_uploads("birds", [NewItem(clip, "clip.wav", "qa", "Which?")])
    downloads = Downloads(PreparedFiles(database))
    made = downloads.begin("export.zip")
    made.file.write_bytes(b"PK")
    downloads.prepared.offer("key", made.name, made.file, timedelta(hours=1))
    MaintenanceScheduler(database, backup_hours=1).run()
    database.close()
    found = [file for file in database.folder.rglob("*") if file.is_file() and file.stat().st_size]
    assert len(found) == 6
    private = set(settings.private_paths())
    assert [file for file in found if private.isdisjoint(map(str, (file, *file.parents)))] == []
