"""Answers to a table of clips and questions, one JSON object a line; an interrupted run continues."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from usam.errors import RequestError, UsamError
from usam.progress import ProgressCallback
from usam.schema.tasks import check_question

if TYPE_CHECKING:
    from usam.engine.engine import Engine


@dataclass(frozen=True)
class Row:
    """One line of the table: its number, counted from 1 below the header, a clip and what to ask about it."""

    number: int
    path: str
    question: str
    task: str

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
    """The rows of a CSV file with a header: `path`, and `question` or `task` or both.

    An empty question asks the task's own prompt, an empty task is `task`. Other columns are ignored.

    Raises RequestError: no such file, no CSV, no column `path`, no rows, or, with its row, a question or a
    task that cannot be asked.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file, skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        raise RequestError(f"{table.name} cannot be read as a CSV file in UTF-8.") from cause
    if not lines:
        raise RequestError(f"{table.name} has no rows below its header.")
    if "path" not in lines[0]:
        raise RequestError(f"{table.name} has no column called path.")
    rows = []
    for number, line in enumerate(lines, 1):
        cells = {name: (line.get(name) or "").strip() for name in ("path", "question", "task")}
        chosen = cells["task"] or task
        if not cells["path"]:
            raise RequestError(f"Row {number} of {table.name} has no path.")
        try:
            question = check_question(cells["question"], chosen)
        except RequestError as error:
            raise RequestError(f"Row {number} of {table.name}: {error}") from error
        rows.append(Row(number, cells["path"], question, chosen))
    return rows


def run_batch(
    table: Path,
    output: Path,
    rows: list[Row],
    load: Callable[[], Engine],
    report: ProgressCallback,
    **options: Any,
) -> Outcome:
    """Ask what `output` has no line for yet, and append: the row, its path, and the answer's JSON or `error`.

    Paths are relative to the folder of `table`. The engine is loaded only if something is left to ask;
    `options` are those of `Engine.ask`. Lines that are deleted from the output are asked again.

    Raises RequestError when `output` holds answers to another table, or cannot be written.
    """
    try:
        done = _finished(output, rows)
        left = [row for row in rows if row.number not in done]
        refused = sum("error" in record for record in done.values())
        if left:
            engine = load()
            with output.open("a", encoding="utf-8") as file:
                for count, row in enumerate(left, len(done)):
                    report(f"{count + 1} of {len(rows)}: {row.path}", count / len(rows))
                    record = _ask(engine, table.parent / row.path, row, options)
                    refused += "error" in record
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
                    file.flush()
    except OSError as cause:
        raise RequestError(f"{output.name} cannot be written: {cause.strerror}.") from cause
    report(f"{len(rows)} of {len(rows)}", 1.0)
    return Outcome(len(rows) - refused, refused)


def _ask(engine: Engine, clip: Path, row: Row, options: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = engine.ask(str(clip), row.question, task=row.task, **options)
    except UsamError as error:
        return {**row.key, "question": row.question, "task": row.task, "error": str(error)}
    return {**row.key, **answer.to_json()}


def _finished(output: Path, rows: list[Row]) -> dict[int, dict[str, Any]]:
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
