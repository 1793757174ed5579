"""CSV tables of everything that people rated, in which no cell can become a formula.

They begin with a mark of byte order, without which Excel takes UTF-8 for the machine's own code page.
"""

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from storage.export.audit import Audit
from storage.export.reader import Reader
from storage.export.tables import rows as tables

FILES = tuple(f"{table}.csv" for table in tables.TABLES)

_FORMULA_STARTS = tuple("=+-@＝＋－＠\t\r\n'")


def escape(cell: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet may run (OWASP, "CSV injection").

    A text that starts with an apostrophe gets one more, so that taking one away restores every cell.
    """
    if isinstance(cell, str) and (
        cell.startswith(_FORMULA_STARTS) or cell.lstrip().startswith(_FORMULA_STARTS)
    ):
        return f"'{cell}"
    return cell


def write(reader: Reader, folder: Path, audit: Audit) -> None:
    audit.dropped["withdrawn"] = tables.withdrawn(reader)
    audit.dropped["dimension"] = reader.dimensions.left_out
    for table, chunks in tables.TABLES.items():
        name = f"{table}.csv"
        with (folder / name).open("w", encoding="utf-8-sig", newline="") as file:
            for number, chunk in enumerate(chunks(reader)):
                _escaped(chunk).to_csv(
                    file,
                    header=number == 0,
                    index=False,
                    quoting=csv.QUOTE_NONNUMERIC,
                    date_format="%Y-%m-%dT%H:%M:%S.%fZ",
                )
                audit.rows[name] += len(chunk)
    audit.read.update(audit.rows)


def _escaped(chunk: pd.DataFrame) -> pd.DataFrame:
    texts = chunk.select_dtypes(include=["object", "str"]).columns
    return chunk.assign(**{name: chunk[name].map(escape, na_action="ignore") for name in texts})
