"""A folder that `datasets.load_dataset("audiofolder", data_dir=...)` reads: the kept clips of each split, and
a `metadata.jsonl` with one row a rating."""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from storage.errors import StorageError
from storage.export.audit import Audit
from storage.export.reader import Reader
from storage.export.tables import rows as tables
from storage.ratings.validation import FLAGS

FILES = ("train", "test")
METADATA = "metadata.jsonl"

_TEXTS = ("task", "question", "answer", "correction", "comment", "model_fingerprint", "quantization")


def check(out: Path) -> None:
    """Raises StorageError where a folder that an export did not make would be replaced."""
    for name in FILES:
        made = out / name
        if made.is_dir() and any(made.iterdir()) and not (made / METADATA).exists():
            raise StorageError(f"{made} was not made by an earlier export; choose another folder.")


def write(reader: Reader, folder: Path, audit: Audit) -> None:
    audit.dropped["withdrawn"] = reader.withdrawn()
    audit.dropped["dimension"] = reader.dimensions.left_out
    with ExitStack() as stack:
        files = {}
        for chunk in tables.ratings(reader):
            audit.read["ratings"] += len(chunk)
            for row in chunk.to_dict("records"):
                source = reader.files.get(row["audio_path"]) if isinstance(row["audio_path"], str) else None
                if source is None:
                    audit.dropped["no_audio"] += 1
                    continue
                split = folder / row["split"]
                if split not in files:
                    split.mkdir()
                    files[split] = stack.enter_context((split / METADATA).open("w", encoding="ascii"))
                if not (split / source.name).exists():
                    shutil.copyfile(source, split / source.name)
                files[split].write(json.dumps({"file_name": source.name, **_columns(row)}) + "\n")
                audit.rows[f"{split.name}/{METADATA}"] += 1


def _columns(row: dict[Any, Any]) -> dict[str, Any]:
    """The same columns, of the same types, in every row."""
    flags = row["flags"].split(";")
    return {
        **{name: row[name] if isinstance(row[name], str) else "" for name in _TEXTS},
        "thumb": None if pd.isna(row["thumb"]) else int(row["thumb"]),
        "score": None if pd.isna(row["score"]) else int(row["score"]),
        **{
            name: None if pd.isna(value) else int(value)
            for name, value in row.items()
            if str(name).startswith("dimension_")
        },
        **{f"flag_{flag}": flag in flags for flag in FLAGS},
        "annotator": int(row["annotator"]),
        "clip_sha256": row["clip_sha256"],
    }
