"""What was heard of a recording as one file: transcript, subtitles or segments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from usam.schema import segment_tables, subtitles
from usam.schema.segments import Segment

TRANSCRIPTS = ("txt", "srt", "vtt")
FORMATS = (*TRANSCRIPTS, "json", "csv", "rttm", "textgrid")
SUFFIXES = {"textgrid": "TextGrid"}
"""Where it is not the format's name."""


def recording_json(segments: Sequence[Segment], seconds: float) -> dict[str, Any]:
    return {"duration": round(seconds, 3), "segments": [segment.to_json() for segment in segments]}


def recording_file(form: str, segments: Sequence[Segment], seconds: float, name: str) -> str:
    """The text of a file in one of FORMATS. seconds: of the whole recording; name: of its file."""
    if form == "json":
        return json.dumps(recording_json(segments, seconds), ensure_ascii=False) + "\n"
    if form == "csv":
        return segment_tables.to_csv(segments)
    if form == "rttm":
        return segment_tables.to_rttm(segments, Path(name).stem)
    if form == "textgrid":
        return segment_tables.to_textgrid(segments, seconds)
    write = {"txt": subtitles.txt, "srt": subtitles.srt, "vtt": subtitles.vtt}[form]
    return write(subtitles.cues(segments))
