"""Audio that people agreed to keep: files in the data folder named by the hash of what was heard."""

import os
import re
import shutil
import tempfile
from pathlib import Path

FOLDER = "audio"


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


def remove(folder: Path, sha256: str) -> int:
    """Delete what is kept of a clip; returns the number of files. Raises OSError."""
    files = list((folder / FOLDER).glob(f"{sha256}*"))
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)
