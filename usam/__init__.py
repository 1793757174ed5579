"""U-SAM: ask about speech, sounds and music, and see which audio tokens and experts the answer used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from usam.audio.clip import load_clip
    from usam.config import USAMConfig
    from usam.engine.engine import Engine
    from usam.interpretability.attribution import attribute
    from usam.interpretability.deletion import deletion_test
    from usam.interpretability.intervention import intervene
    from usam.interpretability.replay import replay
    from usam.model.model import USAM
    from usam.model.processor import USAMProcessor
    from usam.schema.answer import Answer

__all__ = [
    "USAM",
    "Answer",
    "Engine",
    "USAMConfig",
    "USAMProcessor",
    "attribute",
    "deletion_test",
    "intervene",
    "load_clip",
    "replay",
]

# Importing the package alone stays light: a command line's usage error should not wait for torch.
# USAMConfig comes from the adapter's module, which registers both with transformers' Auto classes.
_HOMES = {
    "USAM": "usam.model.model",
    "Answer": "usam.schema.answer",
    "Engine": "usam.engine.engine",
    "USAMConfig": "usam.adapter.adapter",
    "USAMProcessor": "usam.model.processor",
    "attribute": "usam.interpretability.attribution",
    "deletion_test": "usam.interpretability.deletion",
    "intervene": "usam.interpretability.intervention",
    "load_clip": "usam.audio.clip",
    "replay": "usam.interpretability.replay",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
