"""What one hostile file did: the outcome, the seconds and the memory it took, and what is wrong with that."""

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from tests.hostile.corpus import Case
from usam.audio.clip import load_clip
from usam.errors import AudioError

MAX_SECONDS = 10.0
MAX_MEGABYTES = 400.0
"""Above what was there before, the file itself not counted."""
LONGEST_SENTENCE = 200  # characters
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Verdict:
    """outcome: `heard` or the sentence of the refusal. faults: what must not be, in words."""

    case: Case
    outcome: str
    seconds: float
    megabytes: float
    faults: tuple[str, ...]


def judge(case: Case, folder: Path) -> Verdict:
    """Write the file into `folder`, load it as the app would, and delete it."""
    path = folder / case.name
    path.write_bytes(case.make())
    faults = []
    before, began = restart_peak(), time.monotonic()
    try:
        clip = load_clip(path)
        outcome, heard = "heard", True
        if not (torch.isfinite(clip.waveform).all() and clip.waveform.abs().max() <= 1):
            faults.append("samples are not within [-1, 1]")
        if not 0.099 <= clip.end - clip.start <= 30.001 or clip.duration < clip.end - clip.start:
            faults.append(f"an impossible span: {clip.start} to {clip.end} of {clip.duration} s")
    except AudioError as error:
        outcome, heard = str(error), False
        faults += sentence_faults(outcome)
    except Exception as error:
        outcome, heard = repr(error), False
        faults.append("an error that is not an AudioError")
    seconds, megabytes = time.monotonic() - began, peak() - before
    path.unlink()
    if case.heard not in (None, heard):
        faults.append("should be heard" if case.heard else "should be refused")
    if seconds > MAX_SECONDS:
        faults.append(f"took {seconds:.1f} s")
    if megabytes > MAX_MEGABYTES:
        faults.append(f"took {megabytes:.0f} MB")
    return Verdict(case, outcome, seconds, megabytes, tuple(faults))


def sentence_faults(text: str) -> list[str]:
    """What keeps a text from being one plain sentence for a user."""
    plain = text.endswith(".") and text.isprintable() and len(text) <= LONGEST_SENTENCE and "/" not in text
    return [] if plain else [f"not one plain sentence: {text!r}"]


def restart_peak() -> float:
    """Forget the process's peak memory; MB it holds now."""
    if _STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> float:
    """MB of the process's peak since the last restart; where Linux's /proc is missing, since its start."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    [line] = [line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 2**10


def open_files() -> int:
    """How many files the process has open."""
    return len(os.listdir("/proc/self/fd")) if _STATUS.exists() else 0
