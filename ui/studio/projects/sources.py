"""The clips of a folder, of a table, or of what was uploaded, as items that a project can import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from storage import StorageError
from storage.annotation.gold import Gold
from storage.annotation.imports import NewItem
from usam.errors import RequestError
from usam.schema.tasks import check_question

TABLES = (".csv", ".tsv")
GOLD = "gold"
"""The column of a table that says what is known to be right: good, bad, a score or a text."""
MOST_CLIPS = 100_000


def items_of(source: Path, task: str, question: str) -> list[NewItem]:
    """All clips of a folder, asked one question, or the rows of a table. Raises RequestError."""
    if source.is_dir():
        return items_in_folder(source, task, question)
    if not source.is_file():
        raise RequestError(f"There is no folder or table {source}.")
    return items_in_table(source, task)


def items_in_folder(folder: Path, task: str, question: str) -> list[NewItem]:
    """Every file in the folder and in those below it, but hidden ones. Raises RequestError."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    names = [file.relative_to(folder) for file in files]
    shown = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    if not shown:
        raise RequestError(f"There are no files in {folder.name}.")
    if len(shown) > MOST_CLIPS:
        raise RequestError(f"{folder.name} holds {len(shown):,} files; at most {MOST_CLIPS:,} are imported.")
    asked = check_question(question, task)
    return [NewItem((folder / name).resolve(), name.as_posix(), task, asked) for name in shown]


def items_in_table(table: Path, task: str) -> list[NewItem]:
    """The rows of a table as `usam ask --batch` reads it, with a column `gold` where something is known.
    Paths are relative to the table's folder. Raises RequestError, with the row."""
    from usam.engine.batch import read_table

    items = []
    for row in read_table(table, task):
        try:
            gold = Gold.parse(row.others.get(GOLD, ""))
        except StorageError as error:
            raise RequestError(f"Row {row.number} of {table.name}: {error}") from error
        path = (table.parent / row.path).resolve()
        items.append(NewItem(path, row.path, row.task, row.question, gold))
    return items


def items_uploaded(files: Sequence[Path], task: str, question: str) -> list[NewItem]:
    """Clips asked one question or, with a table among them, its rows; paths in it count by their last part,
    and name uploaded files alone. Raises RequestError."""
    tables = [file for file in files if file.suffix.lower() in TABLES]
    clips = {file.name: file for file in files if file not in tables}
    names = Counter(file.name for file in files)
    if not files:
        raise RequestError("Choose the clips first, and a table if there is one.")
    if len(tables) > 1:
        raise RequestError("Upload one table at a time, with its clips.")
    if twice := [name for name, count in names.items() if count > 1]:
        raise RequestError(f"Two clips are called {twice[0]}: their ratings could not be told apart.")
    if not tables:
        asked = check_question(question, task)
        return [NewItem(file, name, task, asked) for name, file in sorted(clips.items())]
    rows = items_in_table(tables[0], task)
    missing = sorted({row.path.name for row in rows} - clips.keys())
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise RequestError(f"{missing[0]}{others} of the table {tables[0].name} was not uploaded with it.")
    return [replace(row, path=clips[row.path.name]) for row in rows]
