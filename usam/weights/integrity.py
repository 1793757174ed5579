"""Whether a converted model on the disk is still what was converted, without reading it at every start.

A model's directory holds a manifest with the size and sha256 of each file, and a stamp: what the disk said
of each file (size, times, inode) when its content last had that hash. As long as the disk says the same the
content is taken for unchanged; when anything differs it is hashed again.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

LAYOUT = 1  # raise it when a converter's output changes: directories of an older layout are made again
MANIFEST = "manifest.json"
STAMP = "verified.json"


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def seal(directory: Path, **about: str) -> None:
    """Write the manifest of a model that was just converted, with what is said `about` it, and its stamp."""
    seen = {path.name: _on_disk(path) for path in sorted(directory.iterdir())}
    files = {name: {"size": size, "sha256": sha256(directory / name)} for name, (size, *_) in seen.items()}
    manifest = {"layout": LAYOUT, **about, "files": files}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1))
    _stamp(directory, files, seen)


def complete(directory: Path) -> bool:
    """Whether every file is there in its size."""
    files = _files(directory)
    try:
        return bool(files) and all(_on_disk(directory / name)[0] == files[name]["size"] for name in files)
    except (OSError, KeyError, TypeError):  # gone, or the manifest is not one that was written here
        return False


def altered(directory: Path, *, reread: bool = False) -> Path | None:
    """The first file of a complete model whose content is not what was converted; None when all is well.

    Only files that changed on the disk since they were last found well are read, but all with `reread`.
    """
    files = _files(directory)
    seen = {name: _on_disk(directory / name) for name in files}  # before the content is read
    known = {} if reread else _read(directory / STAMP)
    fresh = [name for name in files if known.get(name) != _entry(files[name]["sha256"], seen[name])]
    for name in fresh:
        if sha256(directory / name) != files[name]["sha256"]:
            return directory / name
    if fresh:
        with suppress(OSError):  # a cache that cannot be written is read at every start
            _stamp(directory, files, seen)
    return None


def _files(directory: Path) -> dict[str, dict[str, Any]]:
    """Size and sha256 of each file by its name; empty when there is no manifest of this layout."""
    manifest = _read(directory / MANIFEST)
    files = manifest.get("files")
    return files if manifest.get("layout") == LAYOUT and isinstance(files, dict) else {}


def _on_disk(path: Path) -> tuple[int, ...]:
    """What changes when a file is written; the time of change cannot be set back by who writes it."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _entry(digest: str, seen: tuple[int, ...]) -> dict[str, Any]:
    return {"sha256": digest, "seen": list(seen)}


def _stamp(directory: Path, files: dict[str, dict[str, Any]], seen: dict[str, tuple[int, ...]]) -> None:
    entries = {name: _entry(files[name]["sha256"], seen[name]) for name in files}
    part = directory / f"{STAMP}.{os.getpid()}"
    part.write_text(json.dumps(entries, indent=1))
    part.replace(directory / STAMP)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
