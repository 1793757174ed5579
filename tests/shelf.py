"""Checkpoints of tiny models in a folder, for the tests of what runs on another model."""

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import tiny
from tests.serving import serve, settings_in
from usam.engine.engine import Engine
from usam.progress import ProgressCallback
from usam.quantization import choose_precision


@dataclass
class Shelf:
    """Tiny checkpoints in a folder. `loaded` lists what was taken from it, with weak references."""

    folder: Path
    loaded: list[tuple[str, str]] = field(default_factory=list)
    engines: list[weakref.ref[Engine]] = field(default_factory=list)

    def add(self, name: str) -> Path:
        place = self.folder / name
        place.mkdir(parents=True)
        (place / "config.json").write_text(f'{{"name": "{name}"}}')
        return place

    def load(self, place: Path, quantization: str, progress: ProgressCallback) -> Engine:
        progress("Loading", 0.5)
        engine = Engine(tiny.model(), choose_precision(quantization, "cpu"), place, load_s=0.1)
        if quantization == "int8" or place.name.startswith("tuned"):  # another model with answers of its own
            engine.model.llm.lm_head.weight.data.neg_()
        self.loaded.append((place.name, quantization))
        self.engines.append(weakref.ref(engine))
        return engine


@dataclass(frozen=True)
class Served:
    """An app and the engine it answers with."""

    url: str
    engine: Engine


def shelf_of_two(folder: Path) -> Shelf:
    """A shelf with the checkpoints `tiny` and `later`."""
    shelf = Shelf(folder)
    shelf.add("tiny")
    shelf.add("later")
    return shelf


@contextmanager
def serve_shelf(shelf: Shelf, data: Path) -> Iterator[Served]:
    """The app with the shelf's `tiny`, and what else is on it to be asked too."""
    engine = tiny.engine(shelf.folder / "tiny")
    settings = settings_in(data, preset="tiny", quantization="none", checkpoints=shelf.folder)
    with serve(settings, lambda progress: engine, shelf.load) as url:
        yield Served(url, engine)


def alive(shelf: Shelf) -> int:
    """How many of the models that were lent are still in memory."""
    gc.collect()
    return sum(engine() is not None for engine in shelf.engines)
