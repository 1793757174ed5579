"""Answers to a table of clips and questions, one JSON object a line; an interrupted run continues."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from usam.errors import RequestError, UsamError
from usam.progress import ProgressCallback
from usam.schema.tasks import check_question

if TYPE_CHECKING:
    from usam.engine.engine import Engine

SOUND_FILES = frozenset(
    ".wav .flac .ogg .oga .opus .mp3 .m4a .aac .aif .aiff .wma .mp4 .mkv .webm .mov".split()
)
_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One line of the table: its number, counted from 1 below the header, a clip and what to ask about it;
    and its other cells, by the name of their column."""

    number: int
    path: str
    question: str
    task: str
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> dict[str, Any]:
        """What its line of the output begins with."""
        return {"row": self.number, "path": self.path}


@dataclass(frozen=True)
class Outcome:
    """How many rows were answered and refused, those of earlier runs counted in."""

    answered: int
    refused: int


def read_table(table: Path, task: str = "qa") -> list[Row]:
    """The rows of a Parquet table, or of a CSV table with a header: `path`, and `question` or `task` or both,
    in any case of letters.

    Commas, semicolons or tabs separate its columns, as spreadsheets write them in one country or another,
    with or without a first line `sep=;`. An empty question asks the task's own prompt, an empty task is
    `task`. Other columns do not matter here, and rows without any cell are ignored.

    Raises RequestError: no such file, no CSV, no column `path`, no rows, or, with its row, a question or a
    task that cannot be asked.
    """
    try:
        parquet = table.suffix.lower() == ".parquet"
        lines = _parquet_lines(table) if parquet else _lines(_text(table.read_bytes()))
    except (OSError, UnicodeError, csv.Error) as cause:
        raise RequestError(f"{table.name} cannot be read as a CSV file in UTF-8.") from cause
    if not any(any(line.values()) for line in lines):
        raise RequestError(f"{table.name} has no rows below its header.")
    if "path" not in lines[0]:
        raise RequestError(f"{table.name} has no column called path.")
    rows = []
    for number, line in enumerate(lines, 1):
        if not any(line.values()):
            continue
        cells = {name: line.get(name, "") for name in ("path", "question", "task")}
        chosen = cells["task"].lower() or task
        if not cells["path"]:
            raise RequestError(f"Row {number} of {table.name} has no path.")
        try:
            question = check_question(cells["question"], chosen)
        except RequestError as error:
            raise RequestError(f"Row {number} of {table.name}: {error}") from error
        others = {name: cell for name, cell in line.items() if name not in cells}
        rows.append(Row(number, cells["path"], question, chosen, others))
    return rows


def rows_of(source: Path, task: str = "qa", question: str = "") -> list[Row]:
    """The rows of a CSV or Parquet table, or a row for each sound file of a folder, in the order of their
    names. `task` and `question` are those of rows without one of their own. Raises RequestError."""
    if source.is_dir():
        files = sorted(file for file in source.rglob("*") if file.suffix.lower() in SOUND_FILES)
        if not files:
            raise RequestError(f"The folder {source.name} has no sound files.")
        asked = check_question(question, task)
        paths = (file.relative_to(source).as_posix() for file in files)
        return [Row(number, path, asked, task) for number, path in enumerate(paths, 1)]
    return read_table(source, task)


def clips_folder(source: Path) -> Path:
    """What paths of the rows are relative to."""
    return source if source.is_dir() else source.parent


def write_parquet(records: Path, table: Path, rows: list[Row]) -> None:
    """The records of an output, by row, as a Parquet table: row, path, question, task, answer, error, and the
    whole record as JSON. Raises RequestError."""
    import pyarrow
    from pyarrow import parquet

    done = finished(records, rows)
    found = [done[number] for number in sorted(done)]
    names = ("row", "path", "question", "task", "answer", "error")
    columns = {name: [record.get(name) for record in found] for name in names}
    columns["record"] = [json.dumps(record, ensure_ascii=False) for record in found]
    text = [(name, pyarrow.string()) for name in (*names[1:], "record")]
    schema = pyarrow.schema([("row", pyarrow.int64()), *text])
    part = table.with_suffix(".part")
    try:
        parquet.write_table(pyarrow.table(columns, schema=schema), part)
        part.replace(table)
    except OSError as cause:
        raise RequestError(f"{table.name} cannot be written: {cause.strerror}.") from cause


def _text(content: bytes) -> str:
    """UTF-8, or UTF-16 as spreadsheets write "Unicode text"; without the mark of byte order."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if wide else "utf-8-sig")


def _parquet_lines(table: Path) -> list[dict[str, str]]:
    """The same of a Parquet file."""
    import pyarrow
    from pyarrow import parquet

    try:
        found = parquet.read_table(table).to_pylist()
    except pyarrow.ArrowInvalid as cause:
        raise RequestError(f"{table.name} cannot be read as a Parquet file.") from cause
    return [
        {name.strip().lower(): "" if cell is None else str(cell).strip() for name, cell in line.items()}
        for line in found
    ]


def _lines(text: str) -> list[dict[str, str]]:
    """Every row's cells by the name of their column, in small letters; both without space around them."""
    file = io.StringIO(text, newline="")
    header = file.readline()
    if named := _SEPARATOR.fullmatch(header.strip()):
        separator = named[1]
    else:
        separator = max(",;\t", key=header.count)
        file.seek(0)
    table = csv.reader(file, delimiter=separator, skipinitialspace=True)
    names = [name.strip().lower() for name in next(table, [])]
    rows = ([cell.strip() for cell in cells] for cells in table if cells)
    return [dict(zip_longest(names, cells[: len(names)], fillvalue="")) for cells in rows]


def run_batch(
    table: Path,
    output: Path,
    rows: list[Row],
    load: Callable[[], Engine],
    report: ProgressCallback,
    **options: Any,
) -> Outcome:
    """Ask what `output` has no line for yet, and append: the row, its path, and the answer's JSON or `error`.

    Whatever goes wrong with one row is that row's `error`. Paths are relative to the folder of `table`. The
    engine is loaded only if something is left to ask; `options` are those of `Engine.ask`. Lines that are
    deleted from the output are asked again.

    Raises RequestError when `output` holds answers to another table, or cannot be written.
    """
    try:
        done = finished(output, rows)
        left = [row for row in rows if row.number not in done]
        refused = sum("error" in record for record in done.values())
        if left:
            engine = load()
            with output.open("a", encoding="utf-8") as file:
                for count, row in enumerate(left, len(done)):
                    report(f"{count + 1} of {len(rows)}: {row.path}", count / len(rows))
                    record = answer_row(engine, clips_folder(table) / row.path, row, options)
                    refused += "error" in record
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
                    file.flush()
    except OSError as cause:
        raise RequestError(f"{output.name} cannot be written: {cause.strerror}.") from cause
    report(f"{len(rows)} of {len(rows)}", 1.0)
    return Outcome(len(rows) - refused, refused)


def answer_row(engine: Engine, clip: Path, row: Row, options: dict[str, Any]) -> dict[str, Any]:
    """The row's record: the answer, or the `error` that there was."""
    try:
        answer = engine.ask(str(clip), row.question, task=row.task, **options)
        return {**row.key, **answer.to_json()}
    except UsamError as error:
        problem = str(error)
    except Exception as error:  # nobody watches a batch: the other rows are still worth their answers
        problem = f"Unexpected failure, {type(error).__name__}: {error}"
    return {**row.key, "question": row.question, "task": row.task, "error": problem}


def finished(output: Path, rows: list[Row]) -> dict[int, dict[str, Any]]:
    """The records that are there, by row. A line that was cut off in the middle is taken away."""
    if not output.exists():
        return {}
    by_number = {row.number: row for row in rows}
    records = {}
    kept = 0
    for line, end in _whole_lines(output):
        try:
            record = json.loads(line)
            row = by_number[record["row"]]
            same = (record["path"], record["question"], record["task"]) == (row.path, row.question, row.task)
        except (ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise RequestError(
                f"{output.name} has other content. Delete it, or name another file with --out."
            )
        records[row.number] = record
        kept = end
    if kept < output.stat().st_size:
        with output.open("r+b") as file:
            file.truncate(kept)
    return records


def _whole_lines(file: Path) -> Iterator[tuple[bytes, int]]:
    """The lines that are complete, each with the byte at which it ends."""
    end = 0
    with file.open("rb") as stream:
        for line in stream:
            end += len(line)
            if line.endswith(b"\n"):
                yield line, end
