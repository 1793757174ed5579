"""Segments for other tools: CSV, RTTM (NIST) and Praat's TextGrid."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from usam.schema.segments import Segment

_COLUMNS = ("start", "end", "kind", "language", "names", "text")


def to_csv(segments: Sequence[Segment]) -> str:
    """A row a segment, names between semicolons."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in segments:
        names = "; ".join(one.names)
        writer.writerow((f"{one.start:.3f}", f"{one.end:.3f}", one.kind, one.language or "", names, one.text))
    return file.getvalue()


def to_rttm(segments: Sequence[Segment], recording: str) -> str:
    """Rich Transcription Time Marked (NIST, RT-09): a line a segment that is not silent, its kind as label.

    recording: the file's name; a space in it would end the field.
    """
    name = "_".join(recording.split()) or "recording"
    return "".join(
        f"SPEAKER {name} 1 {one.start:.3f} {one.end - one.start:.3f} <NA> <NA> {one.kind} <NA> <NA>\n"
        for one in segments
        if one.kind != "silence"
    )


def to_textgrid(segments: Sequence[Segment], seconds: float) -> str:
    """Praat's long text format: a tier of kinds, of names, and of words; each covers the whole recording."""
    tiers = [
        _tier("kind", [(one.start, one.end, one.kind) for one in segments], seconds),
        _tier("names", [(one.start, one.end, "; ".join(one.names)) for one in segments], seconds),
        _tier("words", [(w.start, w.end, w.text) for one in segments for w in one.words], seconds),
    ]
    head = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
        f"xmin = 0\nxmax = {seconds:.3f}\ntiers? <exists>\nsize = {len(tiers)}\nitem []:\n"
    )
    return head + "".join(tier(number) for number, tier in enumerate(tiers, 1))


def _tier(name: str, intervals: Sequence[tuple[float, float, str]], seconds: float) -> Callable[[int], str]:
    filled = _filled(intervals, seconds)

    def written(number: int) -> str:
        head = (
            f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n'
            f"        xmin = 0\n        xmax = {seconds:.3f}\n        intervals: size = {len(filled)}\n"
        )
        return head + "".join(
            f"        intervals [{index}]:\n            xmin = {start:.3f}\n            xmax = {end:.3f}\n"
            f'            text = "{_quoted(text)}"\n'
            for index, (start, end, text) in enumerate(filled, 1)
        )

    return written


def _filled(intervals: Sequence[tuple[float, float, str]], seconds: float) -> list[tuple[float, float, str]]:
    """Without gaps or overlaps, as Praat wants its intervals."""
    found: list[tuple[float, float, str]] = []
    at = 0.0
    for start, end, text in intervals:
        start, end = max(round(start, 3), at), min(round(end, 3), round(seconds, 3))
        if end <= start:
            continue
        if start > at:
            found.append((at, start, ""))
        found.append((start, end, text))
        at = end
    if at < round(seconds, 3) or not found:
        found.append((at, round(seconds, 3), ""))
    return found


def _quoted(text: str) -> str:
    return text.replace('"', '""').replace("\n", " ")
