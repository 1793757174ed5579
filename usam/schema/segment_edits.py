"""How a person changes the segments of a recording: borders move, segments are split, merged and relabelled.

Changes name segments by their times, so that they hold while more of a recording is heard. What was heard
stays as it was: the changes are applied to it anew each time.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, get_args

from usam.errors import RequestError
from usam.schema.segments import Segment, SegmentKind

KINDS: tuple[SegmentKind, ...] = get_args(SegmentKind)
SHORTEST = 0.05  # seconds of a segment
NEAR = 0.0015  # seconds by which a time may differ from the one that it names: times are sent in milliseconds
DIGITS = 3  # of a time
MOST_NAMES = 8
LONGEST_NAME = 60  # characters


@dataclass(frozen=True)
class MoveBorder:
    """The border between two segments goes elsewhere between their other borders. Seconds."""

    border: float
    to: float


@dataclass(frozen=True)
class Split:
    """The segment around a time becomes two with the same label. Seconds."""

    at: float


@dataclass(frozen=True)
class Merge:
    """The two segments at a border become one, with the label of the longer and the names of both."""

    border: float


@dataclass(frozen=True)
class Relabel:
    """The segment that begins at a time gets another label."""

    start: float
    kind: SegmentKind
    names: tuple[str, ...]
    language: str | None


@dataclass(frozen=True)
class Undo:
    """Takes back the last change that still holds."""


SegmentEdit: TypeAlias = MoveBorder | Split | Merge | Relabel | Undo


def edit_from_json(record: object) -> SegmentEdit:
    """A change as a page sends it and as it is stored, such as {"kind": "split", "at": 4.0}; all of it is
    untrusted. Raises RequestError."""
    if not isinstance(record, Mapping):
        raise RequestError("A change of segments has a kind.")
    kind = record.get("kind")
    if kind == "move":
        return MoveBorder(_time(record, "border"), _time(record, "to"))
    if kind == "split":
        return Split(_time(record, "at"))
    if kind == "merge":
        return Merge(_time(record, "border"))
    if kind == "relabel":
        return Relabel(_time(record, "start"), _label(record), _names(record), _language(record))
    if kind == "undo":
        return Undo()
    raise RequestError("A change of segments moves, splits, merges, relabels, or is undone.")


def edit_to_json(edit: SegmentEdit) -> dict[str, Any]:
    """What `edit_from_json` reads."""
    if isinstance(edit, MoveBorder):
        return {"kind": "move", "border": edit.border, "to": edit.to}
    if isinstance(edit, Split):
        return {"kind": "split", "at": edit.at}
    if isinstance(edit, Merge):
        return {"kind": "merge", "border": edit.border}
    if isinstance(edit, Relabel):
        names, language = list(edit.names), edit.language
        return {
            "kind": "relabel",
            "start": edit.start,
            "label": edit.kind,
            "names": names,
            "language": language,
        }
    return {"kind": "undo"}


def edited(segments: Sequence[Segment], edits: Iterable[SegmentEdit]) -> list[Segment]:
    """The segments with the changes in their order, each word in the segment in which its middle is.

    Raises RequestError where a change does not fit, such as a border that is not there.
    """
    standing: list[SegmentEdit] = []
    for edit in edits:
        if not isinstance(edit, Undo):
            standing.append(edit)
        elif standing:
            standing.pop()
        else:
            raise RequestError("There is no change to take back.")
    if not standing:
        return list(segments)
    found = [replace(segment, words=()) for segment in segments]
    for edit in standing:
        _apply(found, edit)
    return _with_words(found, segments)


def _apply(found: list[Segment], edit: SegmentEdit) -> None:
    if isinstance(edit, MoveBorder):
        index = _beginning(found, edit.border, "border", first=1)
        before, after = found[index - 1], found[index]
        if not before.start + SHORTEST <= edit.to <= after.end - SHORTEST:
            raise RequestError("A border stays between those before and after it.")
        found[index - 1 : index + 1] = [replace(before, end=edit.to), replace(after, start=edit.to)]
    elif isinstance(edit, Split):
        index = max(bisect_right([one.start for one in found], edit.at) - 1, 0)
        whole = found[index]
        if min(edit.at - whole.start, whole.end - edit.at) < SHORTEST:
            raise RequestError("A segment is split somewhere within it.")
        found[index : index + 1] = [replace(whole, end=edit.at), replace(whole, start=edit.at)]
    elif isinstance(edit, Merge):
        index = _beginning(found, edit.border, "border", first=1)
        before, after = found[index - 1], found[index]
        longer = max(before, after, key=lambda one: one.end - one.start)
        merged = replace(
            longer,
            start=before.start,
            end=after.end,
            names=tuple(dict.fromkeys(before.names + after.names))[:MOST_NAMES],
            language=longer.language or before.language or after.language,
        )
        found[index - 1 : index + 1] = [merged]
    elif isinstance(edit, Relabel):
        index = _beginning(found, edit.start, "segment", first=0)
        found[index] = replace(found[index], kind=edit.kind, names=edit.names, language=edit.language)


def _beginning(found: Sequence[Segment], time: float, what: str, first: int) -> int:
    """Which segment, from the one of that number on, begins at a time."""
    for index in range(first, len(found)):
        if abs(found[index].start - time) <= NEAR:
            return index
    raise RequestError(f"There is no {what} at {time:.3f} s any more; look at the segments again.")


def _with_words(found: Sequence[Segment], spoken: Iterable[Segment]) -> list[Segment]:
    words = [word for segment in spoken for word in segment.words]
    starts = [segment.start for segment in found]
    inside: list[list[Any]] = [[] for _ in found]
    for word in words:
        inside[max(bisect_right(starts, (word.start + word.end) / 2) - 1, 0)].append(word)
    return [replace(one, words=tuple(said)) for one, said in zip(found, inside, strict=True)]


def _time(record: Mapping[Any, Any], name: str) -> float:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RequestError(f"A change of segments has a time in seconds as its {name}.")
    return round(float(value), DIGITS)


def _label(record: Mapping[Any, Any]) -> SegmentKind:
    if record.get("label") not in KINDS:
        raise RequestError(f"A segment is one of {', '.join(KINDS)}.")
    return record["label"]


def _names(record: Mapping[Any, Any]) -> tuple[str, ...]:
    names = record.get("names", [])
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise RequestError("What is heard in a segment is a list of names.")
    found = tuple(dict.fromkeys(text for name in names if (text := _text(name))))
    if len(found) > MOST_NAMES:
        raise RequestError(f"A segment has at most {MOST_NAMES} names.")
    return found


def _language(record: Mapping[Any, Any]) -> str | None:
    language = record.get("language")
    if not isinstance(language, str | None):
        raise RequestError("A language is a name.")
    return _text(language or "") or None


def _text(name: str) -> str:
    """A name on one line, as every database can hold it."""
    text = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if len(text) > LONGEST_NAME:
        raise RequestError(f"A name has at most {LONGEST_NAME} characters.")
    return text
