"""How far a whole recording is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from storage.annotation.recordings import StoredRecording

Phase = Literal["waiting", "hearing", "stopped", "done"]


@dataclass(frozen=True)
class RecordingState:
    """How far a recording is. message: what it waits for, or why it stopped.  left: seconds until it is
    heard to its end; None where that is not known yet."""

    stored: StoredRecording
    phase: Phase
    message: str = ""
    left: float | None = None
