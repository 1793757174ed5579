"""Reads how far `usam tune` is from the lines that it prints."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PARTS = (
    (re.compile(r"reference: (\d+) of (\d+) answers"), "Reading the answers with the model as it is"),
    (re.compile(r"(\d+) of (\d+) answers to keep"), "Asking the model for answers to keep"),
    (re.compile(r"answered: (\d+) of (\d+) held-out questions"), "Answering held-out questions"),
    (re.compile(r"asked again: (\d+) of (\d+)"), "Asking questions with a known answer"),
)
_STEP = re.compile(r"step (\d+) .*\bleft (\d+|None)\b.*\bprogress ([\d.]+)")
_CHECK = re.compile(r"(?:step \d+|[\d.]+ times as far from before): (held-out pairs right \d+ of \d+)")


@dataclass(frozen=True)
class TuningProgress:
    """share: of the part that is being done, in [0, 1]. left: seconds until that part is done, None where it
    is not known. check: the last check on held-out votes."""

    message: str = "Starting"
    share: float = 0.0
    left: float | None = None
    check: str = ""


class ProgressReader:
    """Turns one line after another into a `TuningProgress`."""

    def __init__(self) -> None:
        self.now = TuningProgress()
        self._began: tuple[tuple[str, int], int, float] | None = None  # what, its first count, and when

    def read(self, line: str, at: float) -> TuningProgress:
        """at: seconds, of a clock that never goes back."""
        self.now = self._read(line.strip(), at)
        return self.now

    def _read(self, line: str, at: float) -> TuningProgress:
        check = self.now.check
        if found := _CHECK.match(line):
            return TuningProgress(self.now.message, self.now.share, self.now.left, found[1])
        if found := _STEP.match(line):
            left = None if found[2] == "None" else float(found[2])
            return TuningProgress(f"Tuning, step {found[1]}", min(1.0, float(found[3])), left, check)
        for pattern, message in _PARTS:
            if found := pattern.fullmatch(line):
                done, of = int(found[1]), int(found[2])
                return TuningProgress(message, done / max(1, of), self._left(message, done, of, at), check)
        if not line or line.startswith(("learn ", "drop ", "held out:")):
            return self.now
        return TuningProgress(line[:200], 0.0, None, check)

    def _left(self, part: str, done: int, of: int, at: float) -> float | None:
        """By the pace since the part's first line; that one says nothing yet."""
        if self._began is None or self._began[0] != (part, of) or done <= self._began[1]:
            self._began = (part, of), done, at
            return None
        _, first, since = self._began
        return (of - done) * (at - since) / (done - first)
