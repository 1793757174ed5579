"""Presets: which encoders and language model U-SAM is put together from, and its sizes.

Each is a JSON file of fields of `usam.config.USAMConfig`; what it leaves out is as there. Other packages add
theirs by an entry point of the group `usam.presets`, which names a `Preset`, or by `register_preset`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from usam.errors import RequestError
from usam.registry import Registry


@dataclass(frozen=True)
class Preset:
    """Fields of a `USAMConfig` by name."""

    fields: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Preset:
        """Raises RequestError if it cannot be read."""
        try:
            fields = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RequestError(f"The preset {file} cannot be read ({error}).") from error
        if not isinstance(fields, dict):
            raise RequestError(f"The preset {file} is no JSON object.")
        return cls(fields)


PRESETS = Registry(
    "preset",
    "usam.presets",
    Preset,
    ((file.stem, Preset.read(file)) for file in sorted(Path(__file__).parent.glob("*.json"))),
)


def register_preset(name: str, fields: Mapping[str, Any] | Path) -> None:
    """Add a preset: fields of a `USAMConfig`, or a JSON file of them. Raises RequestError."""
    PRESETS.register(name, Preset.read(fields) if isinstance(fields, Path) else Preset(fields))
