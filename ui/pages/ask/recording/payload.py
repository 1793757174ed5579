"""What the page is sent of a recording: only what it does not have yet."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ui.pages.ask.recording.answers import answer_json, kept_answer
from usam.schema import subtitles
from usam.schema.recording_files import SUFFIXES, recording_file, recording_json

if TYPE_CHECKING:
    import numpy as np

    from storage.annotation.recordings import StoredRecording
    from ui.studio.recordings.service import RecordingService
    from usam.schema.segments import Segment

DIGITS = 3  # of a time in seconds


@dataclass(frozen=True)
class Known:
    """What the page has: how many parts, words, and changes of segments."""

    parts: int = 0
    words: int = 0
    edits: int = -1


def news_json(
    service: RecordingService,
    recording_id: str,
    annotator: str,
    known: Known,
    *,
    opened: Literal["", "wanted", "again"] = "",
    problem: str = "",
) -> str:
    """How far a recording is, and what the page does not have of it. opened: the page shows another one than
    before, by the person's wish or because it was opened again. Raises UsamError, StorageError."""
    state = service.state(recording_id, annotator)
    stored = state.stored
    news: dict[str, Any] = {
        "id": stored.id,
        "open": opened,
        "name": stored.name,
        "source": stored.path if Path(stored.path).is_file() else "",
        "phase": state.phase,
        "message": state.message,
        "left": state.left,
        "seconds": stored.seconds,
        "heard": stored.heard,
        "parts": stored.parts,
        "edits": stored.edits,
    }
    if problem:
        news["problem"] = problem
    if opened:
        news["answers"] = [kept_answer(one) for one in service.answers.of(stored.id, annotator)]
    if (stored.parts, stored.edits) != (known.parts, known.edits):
        # Read after the state: there may be a further part by now, and the page will ask for it again.
        news["since"] = known.words
        news["words"] = words_of(service.heard(stored.id, annotator))[known.words :]
        news["segments"] = [
            [round(one.start, DIGITS), round(one.end, DIGITS), one.kind, one.names, one.language]
            for one in service.segments(stored.id, annotator)
        ]
    return _compact(news)


def words_of(segments: Sequence[Segment]) -> list[tuple[float, float, str, int]]:
    """Start, end (s) and text of each word, and whether a line begins with it. Later words change nothing."""
    lines = subtitles.lines(word for segment in segments for word in segment.words)
    return [
        (round(word.start, DIGITS), round(word.end, DIGITS), word.read, int(index == 0))
        for line in lines
        for index, word in enumerate(line)
    ]


def earlier_json(recordings: Sequence[StoredRecording]) -> str:
    """Those of which something was heard."""
    return _compact(
        [
            {
                "id": one.id,
                "name": one.name,
                "seconds": one.seconds,
                "heard": one.heard,
                "done": one.is_done,
            }
            for one in recordings
            if one.parts
        ]
    )


def waveform_json(recording_id: str, peaks: np.ndarray) -> str:
    """peaks: uint8 [parts], the highest level in equal parts of the recording."""
    return _compact({"id": recording_id, "peaks": b64encode(peaks.tobytes()).decode()})


def file_json(service: RecordingService, recording_id: str, annotator: str, form: str, turn: object) -> str:
    """A file of what was heard, as it was changed; JSON has both, and the answers about it. Raises UsamError,
    StorageError, KeyError for a form that there is not."""
    stored = service.store.get(recording_id, annotator)
    segments = service.segments(recording_id, annotator)
    if form == "json":
        record = recording_json(segments, stored.seconds)
        if stored.edits:
            heard = service.heard(recording_id, annotator)
            record["original"] = recording_json(heard, stored.seconds)["segments"]
        if answers := service.answers.of(recording_id, annotator, most=None):
            record["answers"] = [answer_json(one) for one in answers]
        text = json.dumps(record, ensure_ascii=False) + "\n"
    else:
        text = recording_file(form, segments, stored.seconds, stored.name)
    stem = Path(stored.name).stem or "recording"
    return _compact({"turn": turn, "name": f"{stem}.{SUFFIXES.get(form, form)}", "text": text})


def _compact(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))
