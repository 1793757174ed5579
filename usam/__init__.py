"""U-SAM: ask about speech, sounds and music, and see which audio tokens and experts the answer used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from usam.config import USAMConfig
    from usam.engine.engine import Engine
    from usam.model.model import USAM
    from usam.model.processor import USAMProcessor

__all__ = ["USAM", "Engine", "USAMConfig", "USAMProcessor"]

# Importing the package alone stays light: a command line's usage error should not wait for torch.
# USAMConfig comes from the adapter's module, which registers both with transformers' Auto classes.
_HOMES = {
    "Engine": "usam.engine.engine",
    "USAM": "usam.model.model",
    "USAMConfig": "usam.adapter.adapter",
    "USAMProcessor": "usam.model.processor",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
