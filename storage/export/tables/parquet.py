"""Parquet tables of everything that people rated, with the columns of the CSV, typed."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from storage.export.audit import Audit
from storage.export.reader import Reader
from storage.export.tables import rows as tables

FILES = tuple(f"{table}.parquet" for table in tables.TABLES)


def write(reader: Reader, folder: Path, audit: Audit) -> None:
    audit.dropped["withdrawn"] = tables.withdrawn(reader)
    audit.dropped["dimension"] = reader.dimensions.left_out
    for table, chunks in tables.TABLES.items():
        name = f"{table}.parquet"
        audit.rows[name] = _write(chunks(reader), folder / name)
    audit.read.update(audit.rows)


def _write(chunks: Iterator[pd.DataFrame], file: Path) -> int:
    """A row group for each chunk, so that neither writer nor reader needs the whole in memory; returns the
    number of rows."""
    import pyarrow as pa  # slow to import, and no other format needs it
    from pyarrow.parquet import ParquetWriter

    first = pa.Table.from_pandas(next(chunks), preserve_index=False)
    with ParquetWriter(file, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        rows = first.num_rows
        for chunk in chunks:
            table = pa.Table.from_pandas(chunk, schema=first.schema, preserve_index=False)
            writer.write_table(table)
            rows += table.num_rows
    return rows
