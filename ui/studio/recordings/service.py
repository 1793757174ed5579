"""Whole recordings: written down in the background, part after part, whoever looks meanwhile."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from storage import Database, StorageError
from storage.annotation.recording_answers import RecordingAnswers
from storage.annotation.recordings import Recordings, StoredRecording
from storage.ratings.recording_ratings import RecordingRatings
from ui.engines.loader import EngineLoader
from ui.studio.clips import GONE
from ui.studio.recordings.state import Phase, RecordingState
from ui.studio.running import RunningRequests
from usam.errors import RequestError, UsamError
from usam.schema.recording_record import segments_from_record, segments_to_record
from usam.schema.segment_edits import edit_from_json, edit_to_json, edited
from usam.schema.segments import RecordingPart, Segment, joined
from usam.schema.tasks import SpeechTask

log = logging.getLogger(__name__)

TASKS: tuple[SpeechTask, ...] = ("transcribe", "translate")
MOST_PROBLEMS = 200  # that are remembered, of recordings that could not be heard
FAILED = "Something went wrong in the model. The server's log says what; press Continue to try again."
OTHER_MODEL = "This recording was begun with another model. Begin it again with this one."


@dataclass
class _Job:
    """A recording that is being heard. began: on the monotonic clock, when it was heard up to `since` s."""

    stop: threading.Event
    phase: Phase = "waiting"
    message: str = "Waiting for the model"
    began: float = 0.0
    since: float = 0.0


@dataclass
class RecordingService:
    """Hears recordings in threads of their own and keeps what was heard, so that a page can be left and come
    back, and a recording that was stopped goes on where it was. Safe to share between threads.

    take: counts a request of a visitor's; raises RequestError when it is one too many.  paused: entered while
    the model computes.  at_once: how many are heard at a time, a part of each in turn; others wait.
    """

    loader: EngineLoader
    database: Database
    running: RunningRequests
    take: Callable[[str | None], None]
    paused: Callable[[], AbstractContextManager[None]]
    at_once: int = 3
    _jobs: dict[str, _Job] = field(default_factory=dict, repr=False)
    _problems: OrderedDict[str, str] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.store = Recordings(self.database)
        self.answers = RecordingAnswers(self.database)
        self.ratings = RecordingRatings(self.database)
        self._turns = threading.BoundedSemaphore(max(1, self.at_once))

    def begin(self, source: str, name: str, task: SpeechTask, annotator: str, visitor: str | None) -> str:
        """Begin to hear a file, or go on where an earlier hearing of it stopped; returns the recording's id.

        Raises UsamError, StorageError.
        """
        if task not in TASKS:
            raise RequestError("A recording is written down, or translated into English.")
        fingerprint = self.loader.engine.model_info.fingerprint
        try:
            with Path(source).open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise RequestError(GONE) from error
        found = self.store.open(annotator, sha256, task, fingerprint, name=name, path=source)
        self._start(found, annotator, visitor)
        return found.id

    def resume(self, recording_id: str, annotator: str, visitor: str | None) -> None:
        """Go on with a recording that was stopped. Raises UsamError, StorageError."""
        found = self.store.get(recording_id, annotator)
        if not found.is_done and not Path(found.path).is_file():
            raise RequestError(GONE)
        self._start(found, annotator, visitor)

    def stop(self, recording_id: str, annotator: str) -> None:
        """It ends after the part that is being heard, which is kept. Raises StorageError."""
        found = self.store.get(recording_id, annotator)
        with self._lock:
            if job := self._jobs.get(found.id):
                job.stop.set()

    def delete(self, recording_id: str, annotator: str) -> None:
        """With all that was heard in it. Raises StorageError."""
        self.stop(recording_id, annotator)
        self.store.delete(recording_id, annotator)

    def state(self, recording_id: str, annotator: str) -> RecordingState:
        """Raises StorageError."""
        with self._lock:
            job = self._jobs.get(recording_id)
            problem = self._problems.get(recording_id, "")
        found = self.store.get(recording_id, annotator)
        if job is None:
            return RecordingState(found, "done" if found.is_done else "stopped", problem)
        left = None
        if job.phase == "hearing" and found.heard > job.since:
            took = time.monotonic() - job.began
            left = took / (found.heard - job.since) * (found.seconds - found.heard)
        return RecordingState(found, job.phase, job.message, left)

    def heard(self, recording_id: str, annotator: str) -> list[Segment]:
        """What was heard, as the model gave it. Raises StorageError."""
        parts = self.store.parts(recording_id, annotator)
        return joined(segment for part in parts for segment in segments_from_record(part.segments))

    def segments(self, recording_id: str, annotator: str) -> list[Segment]:
        """What was heard, as the person has changed it. Raises StorageError, RequestError."""
        edits = [edit_from_json(one.change) for one in self.store.edits(recording_id, annotator)]
        return edited(self.heard(recording_id, annotator), edits)

    def edit(self, recording_id: str, annotator: str, changes: Sequence[object]) -> None:
        """Change the segments, all at once or not at all. Raises RequestError where a change does not fit,
        StorageError."""
        earlier = self.store.edits(recording_id, annotator)
        wanted = [edit_from_json(change) for change in changes]
        edited(self.heard(recording_id, annotator), [edit_from_json(one.change) for one in earlier] + wanted)
        self.store.edit(recording_id, annotator, len(earlier), [edit_to_json(one) for one in wanted])

    def _start(self, found: StoredRecording, annotator: str, visitor: str | None) -> None:
        if found.is_done or found.id in self.running:
            return
        self.take(visitor)
        if not self.running.begin(found.id, visitor, lapses=False):
            return  # begun at this moment, on another page
        job = _Job(self.running.stop_event(found.id))
        with self._lock:
            self._jobs[found.id] = job
            self._problems.pop(found.id, None)
        threading.Thread(
            target=self._run, args=(found.id, annotator, job), name="recording", daemon=True
        ).start()

    def _run(self, recording_id: str, annotator: str, job: _Job) -> None:
        problem = ""
        try:
            with self._turns:
                self._hear(recording_id, annotator, job)
        except (UsamError, StorageError) as error:
            problem = str(error)
        except Exception:
            log.exception("a recording could not be heard")
            problem = FAILED
        finally:
            with self._lock:
                self._jobs.pop(recording_id, None)
                if problem:
                    self._problems[recording_id] = problem
                while len(self._problems) > MOST_PROBLEMS:
                    self._problems.popitem(last=False)
            self.running.end(recording_id)

    def _hear(self, recording_id: str, annotator: str, job: _Job) -> None:
        for state in self.loader.wait(job.stop):
            job.message = state.step
        if job.stop.is_set():
            return
        engine = self.loader.engine
        found = self.store.get(recording_id, annotator)
        if engine.model_info.fingerprint != found.fingerprint:
            raise RequestError(OTHER_MODEL)
        after = None
        if found.parts:
            last = self.store.parts(recording_id, annotator, since=found.parts - 1)[0]
            segments = segments_from_record(last.segments)
            after = RecordingPart(last.start, last.end, found.seconds, segments)
        job.since, job.began, job.phase, job.message = found.heard, time.monotonic(), "hearing", ""
        task: SpeechTask = "translate" if found.task == "translate" else "transcribe"
        parts = engine.transcribe(found.path, task, job.stop, after)
        number = found.parts
        while True:
            with self.paused():
                part = next(parts, None)
            if part is None:
                return
            record = segments_to_record(part.segments)
            self.store.add_part(recording_id, number, part.start, part.end, part.duration, record)
            number += 1
