"""Clips of a folder, a table and an upload, as items to import."""

from pathlib import Path

import pytest

from storage.annotation.gold import Gold
from ui.studio.projects.sources import items_of, items_uploaded
from usam.errors import RequestError


def touch(folder: Path, *names: str) -> list[Path]:
    files = [folder / name for name in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"RIFF")
    return files


def test_a_folder_gives_all_its_clips(tmp_path: Path) -> None:
    touch(tmp_path, "b.wav", "more/a.ogg", ".hidden", "more/.DS_Store")
    items = items_of(tmp_path, "qa", "  Which bird?  ")
    assert [(item.source, item.question) for item in items] == [
        ("b.wav", "Which bird?"),
        ("more/a.ogg", "Which bird?"),
    ]
    assert items[1].path == tmp_path / "more" / "a.ogg"


def test_a_table_gives_its_rows_and_what_is_known(tmp_path: Path) -> None:
    table = tmp_path / "clips.tsv"
    table.write_text("path\tquestion\tgold\na.wav\tWho?\tbad\nb.wav\tWho?\t\nb.wav\tWhat?\tTwo dogs.\n")
    items = items_of(table, "qa", "")
    assert [item.gold for item in items] == [Gold(thumb=-1), None, Gold(text="Two dogs.")]
    assert items[0].path == tmp_path / "a.wav"


def test_what_cannot_be_imported_is_refused_with_its_reason(tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    table.write_text("path,question,gold\na.wav,Who?,7\n")
    with pytest.raises(RequestError, match=r"Row 1 of clips\.csv"):
        items_of(table, "qa", "")
    with pytest.raises(RequestError, match="no folder or table"):
        items_of(tmp_path / "none", "qa", "")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RequestError, match="no files"):
        items_of(empty, "qa", "")
    (empty / "a.wav").touch()
    with pytest.raises(RequestError, match="too long"):
        items_of(empty, "qa", "?" * 1000)


def test_an_uploaded_table_names_uploaded_clips_alone(tmp_path: Path) -> None:
    clips = touch(tmp_path / "1", "a.wav", "b.wav")
    table = tmp_path / "2" / "clips.csv"
    table.parent.mkdir()
    table.write_text("path,question\n/etc/passwd,Who?\n")
    with pytest.raises(RequestError, match="passwd"):
        items_uploaded([*clips, table], "qa", "")
    table.write_text("path,question\nfolder/b.wav,Who?\n")
    (item,) = items_uploaded([*clips, table], "qa", "")
    assert (item.path, item.source, item.question) == (clips[1], "folder/b.wav", "Who?")


def test_uploads_without_a_table_are_asked_one_question(tmp_path: Path) -> None:
    clips = touch(tmp_path, "1/b.wav", "2/a.wav", "3/a.wav")
    assert [item.source for item in items_uploaded(clips[:2], "qa", "Who?")] == ["a.wav", "b.wav"]
    with pytest.raises(RequestError, match="Two clips are called"):
        items_uploaded(clips, "qa", "Who?")
    with pytest.raises(RequestError, match="Choose"):
        items_uploaded([], "qa", "Who?")
