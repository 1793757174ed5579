"""Training samples as JSON lines, split by the hash of the audio, copies of a clip together."""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from storage.export.audit import Audit
from storage.export.reader import Prompt, split_of

FILES = ("train.jsonl", "test.jsonl")


def write_splits(samples: Iterable[tuple[Prompt, dict[str, Any]]], folder: Path, audit: Audit) -> None:
    """Write each sample into the file of the split of the clip it is about, and beside the files the clips
    that go along. Lines are ASCII, safe for any line splitter."""
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / name).open("w", encoding="ascii")) for name in FILES}
        for prompt, sample in samples:
            name = f"{split_of(prompt.first_copy)}.jsonl"
            files[name].write(json.dumps(sample) + "\n")
            audit.rows[name] += 1
            if prompt.audio and prompt.bundled and not (clip := folder / prompt.bundled).exists():
                clip.parent.mkdir(exist_ok=True)
                shutil.copyfile(prompt.audio, clip)


class TextSet:
    """A set of texts that outgrows memory onto the disk."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # SQLite's name for a private temporary file
        self._database.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")

    def add(self, *parts: str) -> bool:
        """Add a tuple of texts; false when it was there."""
        statement = "INSERT OR IGNORE INTO seen VALUES (?)"
        with closing(self._database.execute(statement, (_digest(parts),))) as cursor:
            return cursor.rowcount == 1

    def close(self) -> None:
        self._database.close()


class TextTally:
    """Whole numbers by texts, which outgrow memory onto the disk; 0 for texts that nothing was added to."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("CREATE TABLE tally (digest BLOB PRIMARY KEY, total INTEGER) WITHOUT ROWID")

    def add(self, number: int, *parts: str) -> None:
        self._database.execute(
            "INSERT INTO tally VALUES (?, ?) ON CONFLICT DO UPDATE SET total = total + excluded.total",
            (_digest(parts), number),
        )

    def total(self, *parts: str) -> int:
        found = self._database.execute("SELECT total FROM tally WHERE digest = ?", (_digest(parts),))
        return int(next(iter(found), (0,))[0])

    def close(self) -> None:
        self._database.close()


def _digest(parts: tuple[str, ...]) -> bytes:
    return hashlib.sha256(json.dumps(parts).encode()).digest()
