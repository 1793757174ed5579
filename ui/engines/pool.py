"""The app's own model and, while an experiment runs on it, one other: another precision or checkpoint."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ui.engines.loader import EngineLoader
from ui.engines.zerogpu import lends_gpu
from usam.checkpoints.fingerprint import fingerprint
from usam.checkpoints.layout import bundled_checkpoints, measured_routing
from usam.engine.memory import release_memory
from usam.errors import RequestError
from usam.progress import ProgressCallback
from usam.schema.answer import ModelInfo

if TYPE_CHECKING:
    from usam.engine.engine import Engine

Result = TypeVar("Result")
LoadOther = Callable[[Path, str, ProgressCallback], "Engine"]
"""Loads a checkpoint folder in a precision."""
PART = ".part"
"""Ends the name of a folder that is still being written."""
PRECISIONS = {"nf4": "4-bit NF4", "int8": "8-bit", "none": "bfloat16, not quantised"}


def load_other(folder: Path, quantization: str, progress: ProgressCallback) -> Engine:
    from usam.engine.engine import Engine  # imports torch: not before it is needed

    device = "cpu" if lends_gpu() else None
    return Engine.load(quantization=quantization, device=device, checkpoint=folder, progress=progress)


class EnginePool:
    """Lends engines. The app's own is always there; any other is loaded for whoever asks for it, one at a
    time, and unloaded when they are done. Safe to share between threads."""

    def __init__(
        self, loader: EngineLoader, further: Sequence[Path] = (), load: LoadOther = load_other
    ) -> None:
        """further: folders of checkpoint folders, beside those that come with the app."""
        self._loader = loader
        self._further = further
        self._load = load
        self._other = threading.Lock()

    def checkpoints(self) -> dict[str, Path]:
        """Folders by name."""
        places = [bundled_checkpoints(), *self._further]
        folders = (file.parent for place in places for file in sorted(place.glob("*/config.json")))
        return {folder.name: folder for folder in folders if folder.suffix != PART}

    def checkpoint_names(self, first: str) -> list[str]:
        """Of the checkpoints, `first` before the others."""
        return [first, *(name for name in self.checkpoints() if name != first)]

    def run_on_checkpoint(
        self, checkpoint: str, quantization: str, use: Callable[[Engine], Result], progress: ProgressCallback
    ) -> Result:
        """What `use` makes of the engine with this name and precision. Raises UsamError."""
        folder = self.checkpoints().get(checkpoint)
        if folder is None or quantization not in PRECISIONS:
            raise RequestError("Choose a checkpoint and a precision first.")
        return self._lend(folder, quantization, use, progress)

    def run_on(self, model: ModelInfo, use: Callable[[Engine], Result], progress: ProgressCallback) -> Result:
        """What `use` makes of the engine that gave an answer. Where its checkpoint is gone, that is the app's
        own in the same precision. Raises UsamError."""
        own = self._loader.engine
        if own.model_info.same_as(model):
            return use(own)
        folder = self.folder_of(model.fingerprint) or own.checkpoint
        return self._lend(folder, model.quantization, use, progress)

    def run_on_folder(
        self, folder: Path, use: Callable[[Engine], Result], progress: ProgressCallback
    ) -> Result:
        """What `use` makes of the engine of a checkpoint folder, in the precision of the app's own. Raises
        UsamError."""
        return self._lend(folder, self._loader.engine.model_info.quantization, use, progress)

    def replace_own(self, folder: Path, progress: ProgressCallback) -> None:
        """Load a checkpoint folder in the precision of the app's own engine, and make it the app's own:
        answers that are being written end on the old one. Raises UsamError, and then the old one stays."""
        precision = self._loader.engine.model_info.quantization
        with self._other:
            try:
                self._loader.replace(lambda report: self._load(folder, precision, report), progress)
            finally:
                _free_memory()

    def measured_routing(self, model: ModelInfo) -> dict[str, Any] | None:
        """What the evaluation of the checkpoint that `model` was loaded from found about its router; None
        where it was not evaluated or is not here any more."""
        found: dict[str, Any] | None = measured_routing(self.folder_of(model.fingerprint))
        return found

    def folder_of(self, fingerprint: str) -> Path | None:
        """The checkpoint folder with this fingerprint; None where it is not here any more."""
        folders = self.checkpoints().values()
        return next((path for path in folders if fingerprint_of(path) == fingerprint), None)

    def _lend(
        self, folder: Path, quantization: str, use: Callable[[Engine], Result], progress: ProgressCallback
    ) -> Result:
        own = self._loader.engine
        if (folder, quantization) == (own.checkpoint, own.model_info.quantization):
            return use(own)

        def tell(step: str, share: float) -> None:
            progress(f"A second model, {PRECISIONS[quantization]}: {step}", share)

        with self._other:
            try:
                # Nothing here may hold on to the engine: it goes when `use` returns.
                return use(self._load(folder, quantization, tell))
            finally:
                _free_memory()


def fingerprint_of(folder: Path) -> str:
    files = ((file, file.stat()) for file in sorted(folder.rglob("*")))
    return _fingerprint(folder, tuple((file, stat.st_mtime_ns, stat.st_size) for file, stat in files))


@lru_cache(maxsize=64)
def _fingerprint(folder: Path, _state: tuple[tuple[Path, int, int], ...]) -> str:
    """Reads all weights, so it is kept for as long as no file of the folder changes."""
    return fingerprint(folder)


def _free_memory() -> None:
    """Free unreferenced objects, cycles included, and return the memory to the system."""
    import torch

    gc.collect()
    release_memory()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
