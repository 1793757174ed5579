"""Audio that people agreed to keep, in files named by the hash of what was heard."""

from pathlib import Path

from storage.files import FileStore, safe_suffix

FOLDER = "audio"


def keep(files: FileStore, sha256: str, source: str | Path) -> str:
    """Keep a copy of `source`; returns its path. Raises StorageError."""
    source = Path(source)
    path = f"{FOLDER}/{sha256}{safe_suffix(source)}"
    files.put(path, source)
    return path


def remove(files: FileStore, sha256: str) -> int:
    """Delete what is kept of a clip; returns the number of files. Raises StorageError."""
    return sum(files.remove(path) for path in files.paths(f"{FOLDER}/{sha256}"))
