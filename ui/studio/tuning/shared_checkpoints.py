"""Brings tuned checkpoints, and which of them answers, to the processes on other machines."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from storage.files import FileStore
from ui.studio.tuning.tuned_checkpoints import FOLDER, PROMOTED, RECORD, TunedCheckpoints

log = logging.getLogger(__name__)


class SharedCheckpoints:
    """What is in the data folder's `checkpoints`, and in the store that the machines share. Where the data
    folder is that store, there is nothing to bring. Every method may raise StorageError."""

    def __init__(self, tuned: TunedCheckpoints, files: FileStore) -> None:
        self.tuned = tuned
        self.files = files
        self._here = not files.shared and files.local.resolve() == tuned.folder.parent.resolve()

    def publish(self, name: str) -> None:
        """A checkpoint was made here."""
        folder = self.tuned.folder / name
        if self._here or not folder.is_dir():
            return
        # The record last: without it, others take it for none yet.
        files = sorted((file for file in folder.rglob("*") if file.is_file()), key=_is_record)
        for file in files:
            self.files.put(f"{FOLDER}/{name}/{file.relative_to(folder).as_posix()}", file)

    def publish_promoted(self) -> None:
        """Another checkpoint was chosen here to answer."""
        if not self._here and self.tuned.file.is_file():
            self.files.put(PROMOTED, self.tuned.file)

    def fetch(self) -> None:
        """Take over what others published."""
        if self._here:
            return
        paths = self.files.paths(f"{FOLDER}/")
        for record in (path for path in paths if path.endswith(f"/{RECORD}") and path.count("/") == 2):
            name = record.split("/")[1]
            if not (self.tuned.folder / name).exists():
                self._fetch(name, [path for path in paths if path.startswith(f"{FOLDER}/{name}/")])
        chosen = self.files.read(PROMOTED)
        if chosen is not None and chosen != _content(self.tuned.file):
            part = self.tuned.file.with_suffix(".part")
            part.write_bytes(chosen)
            part.replace(self.tuned.file)

    def _fetch(self, name: str, paths: list[str]) -> None:
        part = self.tuned.folder / f"{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        for path in paths:
            target = part / path.removeprefix(f"{FOLDER}/{name}/")
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if copy := self.files.get(path):
                shutil.copyfile(copy, target)
        part.replace(self.tuned.folder / name)
        log.info("the checkpoint %s came from another machine", name)


def _is_record(file: Path) -> bool:
    return file.name == RECORD


def _content(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""
