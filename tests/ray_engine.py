"""Engines for the tests of batches on Ray, which import them in their actors."""

import os
import signal
from pathlib import Path
from typing import Any

from tests import tiny
from usam.errors import WeightsError
from usam.schema.answer import Answer


class DyingEngine:
    """Answers with a tiny model; the first actor that asks about the clip `low.wav` is killed."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker
        self.engine = tiny.engine(marker.parent)

    def ask(self, clip: str, *question: Any, **options: Any) -> Answer:
        if clip.endswith("low.wav") and self.marker.exists():
            self.marker.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.engine.ask(clip, *question, **options)


def refuse() -> Any:
    raise WeightsError("The weights are damaged.")
