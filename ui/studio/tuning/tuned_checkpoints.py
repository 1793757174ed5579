"""Checkpoints in the data folder that were tuned from ratings: their records, and which of them answers."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from usam.errors import UsamError

log = logging.getLogger(__name__)

FOLDER = "checkpoints"
RECORD = "tuning.json"
EXAMPLES = "answers.json"
PROMOTED = "promoted.json"
"""In the data folder: the checkpoints that were promoted, the last of which answers."""
_NAME = re.compile(r"tuned-(\d+)(?:\.part)?")


@dataclass(frozen=True)
class Example:
    """What was answered to a question about a held-out clip, before and after tuning."""

    question: str
    before: str
    after: str


@dataclass(frozen=True)
class TunedCheckpoint:
    """record: what it was made from and how, as `usam tune` wrote it."""

    name: str
    folder: Path
    made: datetime
    record: Mapping[str, Any]

    @property
    def refused(self) -> str:
        """Why it should not take its parent's place; empty for one that may."""
        return str(self.record.get("refused", ""))

    @property
    def parent(self) -> str:
        """The fingerprint of the checkpoint that it was tuned from."""
        return str(self.record.get("parent", ""))

    def examples(self) -> list[Example]:
        """Answers to held-out questions; none where the folder has none that can be read."""
        try:
            answers = json.loads((self.folder / EXAMPLES).read_text("utf-8"))["answers"]
            return [Example(*(str(one[key]) for key in ("question", "before", "after"))) for one in answers]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("the answers of %s cannot be read", self.name)
            return []


class TunedCheckpoints:
    """What is in the folder. Nothing is kept in memory, so that several of these agree."""

    def __init__(self, data: Path, preset: str) -> None:
        """preset: that of the app. What was promoted under another one does not count."""
        self.folder = data / FOLDER
        self.file = data / PROMOTED
        self.preset = preset

    def all(self) -> list[TunedCheckpoint]:
        """Newest first."""
        found = (self._read(file) for file in self.folder.glob(f"*/{RECORD}"))
        return sorted((one for one in found if one), key=lambda one: one.made, reverse=True)

    def get(self, name: str) -> TunedCheckpoint | None:
        return next((one for one in self.all() if one.name == name), None)

    def new_folder(self) -> Path:
        """Where the next one goes."""
        names = (_NAME.fullmatch(folder.name) for folder in self.folder.glob("*"))
        taken = [int(name[1]) for name in names if name and not name[0].endswith(".part")]
        return self.folder / f"tuned-{max(taken, default=0) + 1}"

    def promoted(self) -> list[str]:
        """Names of those that were promoted and are still there, the first to answer first. Raises UsamError
        where the file that says so cannot be read."""
        names = [entry["checkpoint"] for entry in self._entries() if entry["preset"] == self.preset]
        kept = [name for name in names if (self.folder / name / "config.json").is_file()]
        if gone := set(names) - set(kept):
            log.warning("promoted checkpoints are not here any more: %s", ", ".join(sorted(gone)))
        return kept

    def serving(self) -> Path | None:
        """The folder of the one that answers; None where that is the preset's own checkpoint. Raises
        UsamError."""
        names = self.promoted()
        return self.folder / names[-1] if names else None

    def add_promoted(self, name: str) -> None:
        """Let this one answer from the next start on. Raises UsamError."""
        entry = {
            "checkpoint": name,
            "preset": self.preset,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._write([*self._entries(), entry])

    def remove_promoted(self, name: str) -> None:
        """Take back the last promotion of this one. Raises UsamError."""
        entries = self._entries()
        last = max(
            (
                number
                for number, entry in enumerate(entries)
                if (entry["checkpoint"], entry["preset"]) == (name, self.preset)
            ),
            default=None,
        )
        if last is not None:
            self._write([*entries[:last], *entries[last + 1 :]])

    def _entries(self) -> list[dict[str, str]]:
        try:
            entries = json.loads(self.file.read_text("utf-8"))["promoted"]
            return [{key: str(entry[key]) for key in ("checkpoint", "preset", "at")} for entry in entries]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsamError(
                f"Which checkpoint was promoted is unknown: {self.file.name} in the data folder is damaged. "
                "Delete it, and the preset's own checkpoint answers."
            ) from error

    def _write(self, entries: Sequence[Mapping[str, str]]) -> None:
        """Whole or not at all."""
        part = self.file.with_suffix(".part")
        try:
            with part.open("w", encoding="utf-8") as file:
                json.dump({"promoted": list(entries)}, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.file)
        except OSError as error:
            raise UsamError(
                f"The choice of the checkpoint could not be kept for the next start: {error.strerror}."
            ) from error

    def _read(self, file: Path) -> TunedCheckpoint | None:
        if file.parent.suffix == ".part":
            return None
        try:
            record = json.loads(file.read_text("utf-8"))
            made = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        except (OSError, ValueError):
            log.warning("the record of %s cannot be read", file.parent.name)
            return None
        return TunedCheckpoint(file.parent.name, file.parent, made, record)
