"""What a rating may consist of, and its validation."""

import re
from collections.abc import Collection, Mapping
from typing import Any, TypedDict, Unpack, cast

from storage.database.text import clean
from storage.errors import RatingError

MAX_CORRECTION = 20_000
MAX_COMMENT = 5_000

DIMENSIONS = ("correctness", "completeness", "helpfulness")
"""What an answer is scored on by default; a team may name its own."""
MAX_DIMENSIONS = 16

FLAGS = ("hallucination", "wrong_language", "unsafe", "bad_audio")


class RatingInput(TypedDict, total=False):
    """thumb: -1, 0 or 1.  score: 1 to 5.  dimensions: 1 to 5 by name.  flags: of FLAGS.
    correction: a better answer, at most MAX_CORRECTION characters.  comment: at most MAX_COMMENT."""

    thumb: int | None
    score: int | None
    dimensions: Mapping[str, int | None] | None
    flags: Collection[str] | None
    correction: str | None
    comment: str | None


Judgement = dict[str, Any]
"""Values of the columns that `schema.Judgement` names, but `withdrawn`."""


def judgement(
    *,
    thumb: int | None = None,
    score: int | None = None,
    dimensions: Mapping[str, int | None] | None = None,
    flags: Collection[str] | None = None,
    correction: str | None = None,
    comment: str | None = None,
) -> Judgement:
    """The checked column values; what was left out is None or empty. Raises RatingError."""
    return {
        "thumb": _choice("thumb", thumb, (-1, 0, 1)),
        "score": _choice("score", score, range(1, 6)),
        "dimensions": _dimensions(dimensions),
        "flags": _flags(flags),
        "correction": checked_text("correction", correction, MAX_CORRECTION),
        "comment": checked_text("comment", comment, MAX_COMMENT),
    }


def rating_of(**values: Unpack[RatingInput]) -> Judgement:
    """The checked column values of a rating. Raises RatingError, also when it is empty."""
    checked = judgement(**values)
    if all(value is None or value == {} or value == [] for value in checked.values()):
        raise RatingError("A rating needs a thumb, a score, a flag, a correction or a comment.")
    return checked


def checked_name(name: str, kind: str) -> str:
    """Raises RatingError unless `name`, of a `kind` of thing, can be a column's name."""
    if not isinstance(name, str) or not re.fullmatch("[a-z][a-z0-9_]{0,31}", name):
        raise RatingError(f"A {kind}'s name is 1 to 32 small letters, digits or underscores.")
    return name


def checked_names(text: str, kind: str) -> tuple[str, ...]:
    """The names in a list parted by commas or spaces, each once, as USAM_DIMENSIONS has them. Raises
    RatingError."""
    names = tuple(dict.fromkeys(checked_name(name, kind) for name in text.replace(",", " ").split()))
    if len(names) > MAX_DIMENSIONS:
        raise RatingError(f"There can be at most {MAX_DIMENSIONS} {kind}s.")
    return names


def _dimensions(dimensions: Mapping[str, int | None] | None) -> dict[str, int]:
    if not isinstance(dimensions, Mapping | None):
        raise RatingError('Dimensions are scores by name, such as {"correctness": 4}.')
    given = {name: score for name, score in (dimensions or {}).items() if score is not None}
    if len(given) > MAX_DIMENSIONS:
        raise RatingError(f"A rating has scores on at most {MAX_DIMENSIONS} dimensions.")
    names = sorted(checked_name(name, "dimension") for name in given)
    return {name: cast(int, _choice(name, given[name], range(1, 6))) for name in names}


def _flags(flags: Collection[str] | None) -> list[str]:
    if flags is None:
        return []
    if isinstance(flags, str | Mapping) or not isinstance(flags, Collection):
        raise RatingError(f"Flags are a list of names; there are {', '.join(FLAGS)}.")
    for flag in flags:
        if flag not in FLAGS:
            raise RatingError(f"There is no flag {_shown(flag)}; the flags are {', '.join(FLAGS)}.")
    return [flag for flag in FLAGS if flag in flags]


def _choice(name: str, value: int | None, allowed: Collection[int]) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or value not in allowed:
        raise RatingError(f"The {name} is a whole number from {min(allowed)} to {max(allowed)}.")
    return int(value)


def _shown(value: object) -> str:
    """The value, shortened for an error message."""
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."


def checked_text(name: str, value: str | None, longest: int) -> str | None:
    """The text as it is stored, None for an empty one. Raises RatingError when it is too long."""
    if not isinstance(value, str | None):
        raise RatingError(f"The {name} has to be text.")
    if value is None or not value.strip():
        return None
    if len(value) > longest:
        raise RatingError(f"The {name} has {len(value):,} characters; at most {longest:,} can be saved.")
    return clean(value)
