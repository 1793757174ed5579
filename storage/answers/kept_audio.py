"""Audio in the data folder: what people agreed to keep, in files named by the hash of what was heard, and
clips that were uploaded for a project and not asked about yet."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

FOLDER = "audio"
UPLOADS = "imports"


def keep(folder: Path, sha256: str, source: str | Path) -> str:
    """Copy `source` into the data folder; returns the copy's path relative to that folder. Raises OSError."""
    source = Path(source)
    suffix = source.suffix.lower() if re.fullmatch(r"\.\w{1,8}", source.suffix, re.ASCII) else ""
    target = folder / FOLDER / f"{sha256}{suffix}"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as copy, source.open("rb") as original:
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
    return f"{FOLDER}/{target.name}"


def remove_uploads(folder: Path, files: Iterable[Path]) -> None:
    """Delete those of the files that were uploaded; others are not ours. Raises OSError."""
    for file in files:
        if folder / UPLOADS in file.parents:
            file.unlink(missing_ok=True)


def remove(folder: Path, sha256: str) -> int:
    """Delete what is kept of a clip; returns the number of files. Raises OSError."""
    files = list((folder / FOLDER).glob(f"{sha256}*"))
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)
