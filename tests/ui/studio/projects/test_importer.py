"""Importing clips into a project: with progress, over interruptions, and with a sentence for each failure."""

import shutil
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from storage import StorageError, only_process, open_database
from storage.annotation.project_queue import ProjectQueue
from storage.annotation.projects import Projects
from storage.answers.uploads import FOLDER
from tests.ui.importing import DOG, PIANO, item, studio_in
from ui.__main__ import main, parser, run
from ui.engines.loader import EngineLoader
from ui.studio.projects.importer import FATAL, MOST_ATTEMPTS, VANISHED, ImportState
from ui.studio.service import Studio
from usam.errors import UsamError


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return studio_in(tmp_path)


def test_clips_are_answered_under_nobody_s_name_and_can_be_heard(studio: Studio, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no audio")
    imports = studio.importer.imports
    imports.add("birds", [item(DOG), item(text), item(tmp_path / "gone.wav"), item(PIANO, "please crash")])
    seen: list[ImportState] = []
    studio.importer.run(seen.append)
    projects = Projects(studio.feedback.database)
    found = projects.progress("birds")
    assert (found.items, found.waiting, found.failed) == (1, 0, 3)
    assert {one.source for one in imports.failures("birds")} == {"notes.txt", "gone.wav", "music-piano.ogg"}
    assert all(one.error and "secret" not in one.error for one in imports.failures("birds"))
    assert [(state.done, state.left) for state in seen] == [(0, 4), (1, 3), (2, 2), (3, 1), (4, 0)]
    assert seen[0].seconds_left is None
    assert seen[1].seconds_left is not None
    assert not seen[-1].running
    (dog,) = ProjectQueue(studio.feedback.database, 1, key=projects.get("birds").key).upcoming("me")
    assert studio.feedback.kept_audio(dog) is not None


def test_what_a_person_stopped_goes_on_after_a_restart_once_a_person_says_so(tmp_path: Path) -> None:
    first = studio_in(tmp_path)
    first.importer.imports.add("birds", [item(DOG), item(PIANO)])

    def stop_after_one(state: ImportState) -> None:
        if state.done == 0:
            first.importer.stop()

    first.importer.run(stop_after_one)
    assert first.importer.imports.waiting() == 2, "it was stopped before the first was asked about"
    first.feedback.database.close()
    second = studio_in(tmp_path)
    second.importer.resume()
    assert not second.importer.state.running
    assert second.importer.imports.waiting() == 2, "it stays stopped"
    second.importer.imports.retry("birds")
    second.importer.start()
    second.importer.join()
    assert Projects(second.feedback.database).progress("birds").items == 2


def test_what_nobody_stopped_goes_on_after_a_restart(tmp_path: Path) -> None:
    first = studio_in(tmp_path)
    first.importer.imports.add("birds", [item(DOG), item(PIANO)])
    first.feedback.database.close()
    second = studio_in(tmp_path)
    second.importer.resume()
    second.importer.join()
    assert Projects(second.feedback.database).progress("birds").items == 2
    second.importer.resume()
    assert not second.importer.state.running


@pytest.fixture(params=["data folder", "shared folder", "bucket"])
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Studio, Studio]:
    """On one database and one storage."""
    storages = {"shared folder": str(tmp_path / "shared"), "bucket": f"memory://{uuid4().hex}"}
    receiver, other = (studio_in(tmp_path / "data", storages.get(request.param)) for _ in range(2))
    if other.feedback.database.files.shared:
        other.feedback.database.files.local = tmp_path / "another machine"
    return receiver, other


def test_one_replica_receives_clips_and_another_imports_them(
    replicas: tuple[Studio, Studio], tmp_path: Path
) -> None:
    receiver, other = replicas
    upload = tmp_path / "upload" / "dog.ogg"
    upload.parent.mkdir()
    upload.write_bytes(DOG.read_bytes())
    broken = upload.with_name("broken.ogg")
    broken.write_bytes(b"not audio")
    items = [item(upload), item(upload, "Another?"), item(broken)]
    assert receiver.importer.imports.add_uploads("birds", items).added == 3
    shutil.rmtree(upload.parent)
    other.importer.run()
    assert Projects(receiver.feedback.database).progress("birds").items == 2
    (failed,) = receiver.importer.imports.failures("birds")
    assert failed.source == "broken.ogg"
    files = receiver.feedback.database.files
    assert files.paths(f"{FOLDER}/") == [failed.path], "what failed can be tried again"
    other.importer.imports.discard("birds")
    assert files.paths(f"{FOLDER}/") == []


def test_an_upload_that_vanished_fails_with_a_sentence_and_holds_up_no_other(
    replicas: tuple[Studio, Studio], tmp_path: Path
) -> None:
    receiver, other = replicas
    receiver.importer.imports.add_uploads("birds", [item(DOG), item(PIANO)])
    vanished = receiver.importer.imports.next()
    assert vanished is not None
    receiver.feedback.database.files.remove(vanished.path)
    other.importer.run()
    assert other.importer.state.ended == ""
    (failed,) = receiver.importer.imports.failures("birds")
    assert (failed.source, failed.error) == (DOG.name, VANISHED)
    assert [one.source for one in Projects(other.feedback.database).items("birds")] == [PIANO.name]


def test_a_storage_that_fails_ends_the_import_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = studio_in(tmp_path, f"memory://{uuid4().hex}")
    studio.importer.imports.add_uploads("birds", [item(DOG)])

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("a package's own error")

    with monkeypatch.context() as patch:
        patch.setattr("fsspec.implementations.memory.MemoryFileSystem.info", broken)
        studio.importer.run()
    assert "cannot be reached" in studio.importer.state.ended
    assert studio.importer.imports.waiting() == 1
    studio.importer.run()
    assert Projects(studio.feedback.database).progress("birds").items == 1


def test_a_model_that_does_not_load_fails_no_clip(tmp_path: Path) -> None:
    studio = studio_in(tmp_path)

    def broken(progress: Any) -> Any:
        raise UsamError("The weights are damaged.")

    studio.loader = EngineLoader(broken)
    studio.importer.imports.add("birds", [item(DOG)])
    studio.importer.run()
    assert studio.importer.state.ended == "The weights are damaged."
    assert studio.importer.imports.waiting() == 1


def test_a_clip_that_ends_one_process_after_another_is_left_out(studio: Studio) -> None:
    imports = studio.importer.imports
    imports.add("birds", [item(DOG), item(PIANO)])
    fatal = imports.next()
    assert fatal is not None
    for _ in range(MOST_ATTEMPTS):  # processes that were gone before they ended
        imports.begin(fatal)
    studio.importer.run()
    projects = Projects(studio.feedback.database)
    assert projects.progress("birds").items == 1
    (left_out,) = imports.failures("birds")
    assert (left_out.key, left_out.error) == (fatal.key, FATAL)
    imports.retry("birds")
    studio.importer.run()
    assert projects.progress("birds").items == 2


def test_what_ended_while_its_process_lived_is_not_held_against_a_clip(studio: Studio) -> None:
    imports = studio.importer.imports
    imports.add("birds", [item(DOG)])
    waiting = imports.next()
    assert waiting is not None
    for _ in range(MOST_ATTEMPTS + 1):
        imports.begin(waiting)
        imports.end(waiting)
    studio.importer.run()
    assert Projects(studio.feedback.database).progress("birds").items == 1


def test_one_process_imports_at_a_time(studio: Studio) -> None:
    importer = studio.importer
    importer.imports.add("birds", [item(DOG)])
    with only_process(open_database(studio.settings.database_url), "import"):
        importer.run()
    assert importer.state.elsewhere
    assert importer.imports.waiting() == 1


def test_starting_twice_asks_once(studio: Studio) -> None:
    studio.importer.imports.add("birds", [item(DOG), item(PIANO)])
    starts = [threading.Thread(target=studio.importer.start) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    studio.importer.join()
    assert Projects(studio.feedback.database).progress("birds").items == 2


def test_the_command_imports_a_folder_and_lists_what_failed(
    studio: Studio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "dog.ogg").write_bytes(DOG.read_bytes())
    (folder / "notes.txt").write_text("no audio")
    command = parser().parse_args(["import", "birds", str(folder), "--question", "Which bird?"])
    assert run(command, studio) == 2
    printed = capsys.readouterr()
    assert "1 of 2: dog.ogg" in printed.err
    assert "notes.txt: " in printed.err
    (folder / "notes.txt").unlink()
    studio.importer.imports.discard("birds")
    assert run(command, studio) == 0
    assert "0 clips to ask about, 1 there already" in capsys.readouterr().out
    assert Projects(studio.feedback.database).items("birds")[0].question == "Which bird?"


def test_a_command_that_is_interrupted_or_stopped_says_so_and_nobody_else_goes_on(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = parser().parse_args(["import", "birds", str(folder_of_clips(tmp_path))])
    imports = studio.importer.imports

    def interrupt(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    def stop_elsewhere(state: ImportState) -> None:
        imports.stop()

    with monkeypatch.context() as patch:
        patch.setattr(studio, "ask", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(command, studio)
    assert (imports.waiting(), imports.due()) == (2, False)
    with monkeypatch.context() as patch:
        patch.setattr("ui.__main__._report", stop_elsewhere)
        with pytest.raises(StorageError, match="Somebody stopped"):
            run(command, studio)
    assert (imports.waiting(), imports.due()) == (1, False)
    with (
        only_process(open_database(studio.settings.database_url), "import"),
        pytest.raises(StorageError, match="Another process"),
    ):
        run(command, studio)
    assert run(command, studio) == 0
    assert Projects(studio.feedback.database).progress("birds").items == 2


def folder_of_clips(folder: Path) -> Path:
    clips = folder / "clips"
    clips.mkdir()
    for clip in (DOG, PIANO):
        shutil.copy(clip, clips)
    return clips


def test_an_unknown_project_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("USAM_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("USAM_DATABASE_URL", raising=False)
    (tmp_path / "a.wav").touch()
    assert main(["import", "fish", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "python -m ui: There is no project of that name.\n"
