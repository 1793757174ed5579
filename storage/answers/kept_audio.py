"""Audio: what people agreed to keep, in files named by the hash of what was heard, and
clips that were uploaded for a project and not asked about yet, which wait in the data folder."""

import re
from collections.abc import Iterable
from pathlib import Path

from storage.errors import plain_errors
from storage.files import FileStore

FOLDER = "audio"
UPLOADS = "imports"


def keep(files: FileStore, sha256: str, source: str | Path) -> str:
    """Keep a copy of `source`; returns its path. Raises StorageError."""
    source = Path(source)
    suffix = source.suffix.lower() if re.fullmatch(r"\.\w{1,8}", source.suffix, re.ASCII) else ""
    path = f"{FOLDER}/{sha256}{suffix}"
    files.put(path, source)
    return path


def remove_uploads(folder: Path, files: Iterable[Path]) -> None:
    """Delete those of the files that were uploaded into the data folder; others are not ours. Raises
    StorageError."""
    with plain_errors():
        for file in files:
            if folder / UPLOADS in file.parents:
                file.unlink(missing_ok=True)


def remove(files: FileStore, sha256: str) -> int:
    """Delete what is kept of a clip; returns the number of files. Raises StorageError."""
    return sum(files.remove(path) for path in files.paths(f"{FOLDER}/{sha256}"))
