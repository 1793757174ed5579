"""Runs `python -m usam tune` beside the app, and counts what there is to learn from."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from storage import Database, StorageError, only_process
from ui.settings import Settings
from ui.studio.tuning.tuned_checkpoints import TunedCheckpoints
from ui.studio.tuning.tuning_progress import ProgressReader, TuningProgress
from usam.errors import RequestError

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "usam", "tune")
REFUSED = 3
"""Exit status of a run whose checkpoint should not take its parent's place."""
WORK = "teaching"
"""In the data folder: what a run computed so far."""
STOPPED = "Stopped. Start goes on where it was, as far as the ratings are the same."
FAILED = "Tuning ended unexpectedly, with exit status {}. Start goes on where it was."


@dataclass(frozen=True)
class Learnable:
    """What there is to learn from: rows by kind, rows left out by reason, rows by person."""

    counts: Mapping[str, int]
    dropped: Mapping[str, int]
    annotators: Mapping[str, int]


@dataclass(frozen=True)
class TeachingState:
    """running: whether a run is under way. result: name of the checkpoint that the last run made. ended: why
    it made none, in a sentence."""

    running: bool = False
    progress: TuningProgress = field(default_factory=TuningProgress)
    result: str = ""
    ended: str = ""


class Teaching:
    """At most one run at a time, of all processes on one database, in a process of its own. Safe to share
    between threads."""

    def __init__(
        self,
        settings: Settings,
        tuned: TunedCheckpoints,
        database: Database,
        command: Sequence[str] = COMMAND,
        made: Callable[[str], None] = lambda name: None,
    ) -> None:
        """made: called with the name of a checkpoint that a run made."""
        self.made = made
        self.database = database
        self.settings = settings
        self.tuned = tuned
        self.command = command
        self.work = settings.data / WORK
        self.state = TeachingState()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._pauses = 0

    def clean(self) -> None:
        """Delete copies of ratings and clips that a run left which was killed together with the app."""
        shutil.rmtree(self.work / "export", ignore_errors=True)

    def count(self) -> Learnable:
        """What the next run would learn from. Takes seconds. Raises RequestError."""
        command = [*self.command, "--data", str(self.settings.data), "--count", "--json"]
        ran = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)
        if ran.returncode:
            raise RequestError(_sentence(ran.stderr) or FAILED.format(ran.returncode))
        return Learnable(**json.loads(ran.stdout))

    def start(self) -> None:
        """Begin to tune the checkpoint that answers now. Raises RequestError where a run is under way, and
        UsamError where it is not known which checkpoint answers."""
        with self._lock:
            if self.state.running:
                raise RequestError("The model is being taught already.")
            output, parent = self.tuned.new_folder(), self.tuned.serving()
            source = ["--checkpoint", str(parent)] if parent else []
            gate = ["--gate", str(self.settings.evaluation)] if self.settings.evaluation else []
            command = [
                *(*self.command, "--data", str(self.settings.data), "--output", str(output)),
                *("--work", str(self.work), "--preset", self.settings.preset, *source, *gate),
            ]
            alone = ExitStack()
            if not alone.enter_context(only_process(self.database, "tuning")):
                raise RequestError("The model is being taught already, by another process of the app.")
            try:
                output.parent.mkdir(mode=0o700, exist_ok=True)
                self.work.mkdir(mode=0o700, exist_ok=True)
                process = subprocess.Popen(
                    command,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    # A group of its own, so that what it starts can be signalled with it; of this session,
                    # so that the system ends a paused one that this process leaves behind.
                    process_group=0,
                )
            except OSError as error:
                alone.close()
                raise RequestError(f"Tuning cannot start: {error.strerror}.") from error
            self._process, self._stopped = process, False
            self.state = TeachingState(running=True)
            self._thread = threading.Thread(
                target=self._follow, args=(process, output, alone), name="teaching", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the run that is under way. What it computed is kept."""
        with self._lock:
            if self._process is not None and self.state.running:
                self._stopped = True
                self._signal(signal.SIGTERM)
                self._signal(signal.SIGCONT)  # a paused one ends as well

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The run that is under way waits meanwhile: even at idle priority it takes memory's bandwidth from
        who answers."""
        self._pause(1)
        try:
            yield
        finally:
            self._pause(-1)

    def _pause(self, change: int) -> None:
        with self._lock:
            before, self._pauses = self._pauses, self._pauses + change
            if not before or not self._pauses:
                self._signal(signal.SIGSTOP if self._pauses else signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Called with the lock."""
        if self._process is not None and self.state.running:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def join(self) -> None:
        """Wait until the run that was started has ended."""
        if self._thread is not None:
            self._thread.join()

    def _follow(self, process: subprocess.Popen[str], output: Path, alone: ExitStack) -> None:
        """alone: what ends with the run."""
        with alone:
            self._follow_to_end(process, output)

    def _follow_to_end(self, process: subprocess.Popen[str], output: Path) -> None:
        last = self._read(process.stderr)
        status = process.wait()
        self.clean()
        if made := status in (0, REFUSED) and output.is_dir():
            shutil.rmtree(self.work, ignore_errors=True)
            try:
                self.made(output.name)
            except StorageError as error:
                log.error("%s is on this machine alone: %s", output.name, error)
        with self._lock:
            if made:
                self.state = TeachingState(result=output.name)
            else:
                why = STOPPED if self._stopped else _sentence(last) if status == 2 else ""
                if not why:
                    log.error("tuning ended with exit status %s: %s", status, last)
                self.state = TeachingState(ended=why or FAILED.format(status))

    def _read(self, lines: IO[str] | None) -> str:
        """Follow the progress; returns the last line."""
        reader, last = ProgressReader(), ""
        for line in lines or ():
            last = line.strip() or last
            self.state = replace(self.state, progress=reader.read(line, time.monotonic()))
        return last

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "USAM_DATABASE_URL": self.settings.database_url}


def _sentence(printed: str) -> str:
    """The sentence in which the command says what is wrong: its last line, without its own name."""
    *_, last = printed.strip().splitlines() or [""]
    start, colon, rest = last.partition(": ")
    return rest if colon and start.startswith(("usam", "python -m usam")) else last
