"""The selection in the viewer, for experiments on its answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class ViewerSelection:
    """The span (s of the clip) that was dragged or is locked, and the threshold."""

    span: tuple[float, float] | None = None
    threshold: float | None = None

    @classmethod
    def of(cls, span: Any, threshold: Any) -> ViewerSelection:
        """From the browser, so untrusted: anything but a number counts as not set."""
        edges = [_number(edge) for edge in span] if isinstance(span, list) and len(span) == 2 else []
        start, end = edges if len(edges) == 2 else (None, None)
        there = start is not None and end is not None and start < end
        return cls((start, end) if there else None, _number(threshold))  # type: ignore[arg-type]


def _number(value: Any) -> float | None:
    right = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if right else None
