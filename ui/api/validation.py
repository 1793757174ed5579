"""What programs may send: Gradio passes on whatever JSON comes. Each check raises RequestError."""

from __future__ import annotations

import math
from collections.abc import Collection

from usam.errors import RequestError, UsamError
from usam.interpretability.deletion import LONGEST_REFERENCE
from usam.schema import interventions
from usam.schema.interventions import Intervention
from usam.schema.tasks import check_text

MAX_SEEDS = 20


def text(name: str, value: object) -> str:
    """A text that can be stored and read by a tokenizer; a `name` for the sentence."""
    if not isinstance(value, str):
        raise RequestError(f"The {name} has to be text.")
    return check_text(name, value)


def optional_text(name: str, value: object) -> str | None:
    return None if value is None else text(name, value)


def finite(name: str, value: object) -> float | None:
    """A finite number, or None."""
    if value is None:
        return None
    try:
        if not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    except OverflowError:  # a whole number too large
        pass
    raise RequestError(f"The {name} has to be a number.")


def flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise RequestError(f"The value of {name} has to be true or false.")
    return value


def seeds(value: object) -> int:
    """How many random choices a deletion test makes."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_SEEDS:
        raise RequestError(f"The deletion test takes 1 to {MAX_SEEDS} seeds here.")
    return value


def reference(value: object) -> str | None:
    """The text that a deletion test scores; None for the answer itself."""
    given = (optional_text("reference", value) or "").strip()
    if len(given) > LONGEST_REFERENCE:
        raise RequestError(f"A reference has at most {LONGEST_REFERENCE} characters.")
    return given or None


def scores(value: object, dimensions: Collection[str]) -> dict[str, int] | None:
    """Scores by dimension. The scores themselves are checked where they are stored."""
    if value is None:
        return None
    known = ", ".join(dimensions) or "none"
    if not isinstance(value, dict):
        raise RequestError(f"The dimensions have to be scores by name; the names are {known}.")
    for name in value:
        if name not in dimensions:
            raise RequestError(f"One of the dimensions is not known here; there are {known}.")
    return value


def intervention(record: object) -> Intervention:
    """The intervention that a client describes."""
    try:
        return interventions.from_json(record)  # type: ignore[arg-type]
    except UsamError:
        raise
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise RequestError(
            'There is no such change. Send one like {"kind": "force-expert", "expert": 0}; the kinds are '
            f"{', '.join(interventions.KINDS)}."
        ) from error
