"""What the page and the API share, without Gradio: ask the engine, and store the answer."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
import uuid
import wave
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from storage import StorageError
from storage.annotation.imports import WaitingItem
from storage.replicas.prepared_files import PreparedFiles
from storage.replicas.queue_places import QueuePlaces
from storage.replicas.request_counts import RequestCounts
from ui.access.identity import Identity
from ui.access.rate_limit import RateLimit
from ui.access.secrets import Secrets
from ui.engines.loader import EngineLoader, LoadState
from ui.engines.pool import EnginePool
from ui.server.downloads import Downloads
from ui.server.metrics import Metrics
from ui.server.request_log import with_request_id
from ui.settings import Settings
from ui.studio.clips import GONE, ClipCache, HeardClip, name_of
from ui.studio.experiments import Experiments
from ui.studio.measured_feedback import MeasuredFeedback
from ui.studio.projects.importer import ModelError, ProjectImporter
from ui.studio.recordings.service import RecordingService
from ui.studio.running import RunningRequests
from ui.studio.session import SessionAnswer
from ui.studio.tuning.blind_trials import BlindTrials
from ui.studio.tuning.promotion import Promotion
from ui.studio.tuning.shared_checkpoints import SharedCheckpoints
from ui.studio.tuning.teaching import Teaching
from ui.studio.tuning.tuned_checkpoints import TunedCheckpoints
from usam.audio.fingerprint import fingerprint
from usam.audio.samples import SAMPLE_RATE, pcm16
from usam.errors import RequestError, UsamError
from usam.schema.answer import Answer, Turn
from usam.schema.events import Encoded, TextDelta
from usam.schema.trace import ClipSpan

if TYPE_CHECKING:
    from storage import Feedback
    from usam.audio.clip import Clip

log = logging.getLogger(__name__)

RETRY_TEMPERATURE = 0.7
SAVES_A_QUESTION = 4
"""Saves that the pages may send for each question allowed: with two a second, nobody who judges by keyboard
meets the limit, nor does a class behind one address that rates once in a while."""
UNEXPECTED = "Something went wrong in the model. The server's log says what; please try again."


@dataclass(frozen=True)
class AskRequest:
    """One request. An empty `text` asks the task's own prompt. `audio` wins over `source`, a file, of which
    `start` and `end` (s) choose the span that is heard. `parent` names the stored answer that this one
    follows or retries. `keep_audio` is the user's consent to store what was heard. `visitor` is whom
    limits count it for, None for nobody. `clip_name` is known of a clip whose file does not tell it."""

    text: str
    task: str
    source: str | None = None
    audio: HeardClip | None = None
    start: float | None = None
    end: float | None = None
    history: tuple[Turn, ...] = ()
    seed: int = 0
    temperature: float = 0.0
    parent: str | None = None
    keep_audio: bool = False
    visitor: str | None = None
    clip_name: str = ""


@dataclass(frozen=True)
class ClipLoaded:
    """The clip is decoded; its samples are about to be encoded."""

    heard: ClipSpan


AskEvent = LoadState | ClipLoaded | Encoded | TextDelta | SessionAnswer


def retry_of(entry: SessionAnswer, seed: int, keep_audio: bool) -> AskRequest:
    """The same question about the same clip with another seed, sampled so that the seed matters."""
    answer = entry.answer
    return AskRequest(
        text=answer.question,
        task=answer.task,
        source=entry.source,
        audio=entry.audio,
        history=answer.history,
        seed=seed,
        temperature=answer.temperature or RETRY_TEMPERATURE,
        parent=entry.answer_id,
        keep_audio=keep_audio,
        clip_name=entry.clip_name,
    )


class Studio:
    """Joins the engine, the database and the pages being served. Safe to share between threads."""

    def __init__(
        self, loader: EngineLoader, feedback: Feedback, settings: Settings, pool: EnginePool | None = None
    ) -> None:
        """pool: lends engines for what is tried on answers; by default the shipped checkpoints'."""
        self.loader = loader
        self.metrics = Metrics(settings.replica)
        self.feedback = MeasuredFeedback(feedback.database, self.metrics)
        self.settings = settings
        self.pool = pool or EnginePool(loader)
        self.clips = ClipCache(self._decode)
        self.experiments = Experiments(self.pool, self.clips)
        self._router: dict[str, Any] | None = None
        self.tuned = TunedCheckpoints(settings.data, settings.preset)
        self.shared_checkpoints = SharedCheckpoints(self.tuned, feedback.database.files)
        self.promotion = Promotion(loader, self.pool, self.tuned, settings.llm, self.shared_checkpoints)
        self.teaching = Teaching(
            settings, self.tuned, feedback.database, made=self.shared_checkpoints.publish
        )
        self.blind_trials = BlindTrials(self.tuned, self.pool, feedback, self.clips)
        self.downloads = Downloads(PreparedFiles(feedback.database))
        self.importer = ProjectImporter(feedback.database, self._import_item)
        self.secrets = Secrets.of(settings, feedback.database)
        self.identity = Identity.of(settings, self.secrets)
        # Other processes may serve the same visitors.
        self.counts = (
            RequestCounts(feedback.database, self.secrets.addresses) if feedback.database.served else None
        )
        self.running = self._places("questions")
        self.running_experiments = self._places("experiments")  # on answers: interventions and tests
        self.questions = self.limit(settings.per_minute, "questions")
        self.ratings = self.limit(settings.per_minute, "ratings")
        self.recordings = RecordingService(
            loader,
            feedback.database,
            self._places("recordings"),
            self.questions.take,
            self.teaching.paused,
            settings.at_once,
        )
        self.metrics.watch("waiting", "Questions that wait or are being answered", lambda: len(self.running))
        self.metrics.watch("ready", "Whether the model is loaded", lambda: float(loader.state.ready))
        self.metrics.watch("memory_bytes", "Resident memory", lambda: psutil.Process().memory_info().rss)
        self.saves = self.limit(SAVES_A_QUESTION * settings.per_minute, "ratings and marks")

    def limit(self, count: int, what: str) -> RateLimit:
        """See `RateLimit`; counted for all processes where there may be more."""
        return RateLimit(count, what, shared=self.counts)

    def _places(self, queue: str) -> RunningRequests:
        """Places of a queue, which all processes share where there may be more."""
        database, settings = self.feedback.database, self.settings
        shared = QueuePlaces(database, queue) if database.served else None
        return RunningRequests(settings.max_waiting, settings.max_waiting_each, shared=shared)

    def renew(self) -> None:
        """Called every RENEW_SECONDS: this process is still there."""
        for places in (self.running, self.running_experiments, self.recordings.running):
            places.renew()
        if self.counts:
            try:
                self.counts.clean()
                self.downloads.clean()
            except StorageError as error:
                log.warning("what other processes left could not be deleted: %s", error)

    def router(self) -> dict[str, Any] | None:
        """The router's health once the model has loaded (see `usam.model`), None until then."""
        if not self.loader.state.ready:
            return None
        engine = self.loader.engine  # another one once a checkpoint was promoted
        if self._router is None or self._router["fingerprint"] != engine.model_info.fingerprint:
            self._router = {**engine.health(), "fingerprint": engine.model_info.fingerprint}
            if self._router["collapsed"]:
                log.warning("the router has collapsed: %s", self._router)
        return self._router

    def _decode(self, file: str, start: float | None, end: float | None) -> Clip:
        """The span of a file that would be heard. Raises UsamError."""
        from usam.audio.clip import load_clip  # imports torch: not before it is needed

        return load_clip(file, start, end, max_seconds=self.settings.max_seconds)

    def ask(self, question: AskRequest, annotator: str | None, stop: threading.Event) -> Iterator[AskEvent]:
        """Answer a question and store the answer.

        Yields load states while the model loads, then `ClipLoaded`, `Encoded`, text pieces, and at the end a
        `SessionAnswer`; but none where it is stopped before the first word.

        Raises UsamError with a sentence for the user; what was not expected is logged and raised as one.
        """
        outcome, began, words, seconds = "stopped", time.monotonic(), False, None
        try:
            for event in self._ask(question, annotator, stop):
                if isinstance(event, ClipLoaded):
                    began = time.monotonic()
                elif isinstance(event, TextDelta) and not words:
                    words = True
                    self.metrics.first_token(time.monotonic() - began)
                elif isinstance(event, SessionAnswer):
                    outcome, seconds = "answered", time.monotonic() - began
                yield event
        except UsamError:
            outcome = "refused"
            raise
        except Exception as error:
            outcome = "failed"
            self.metrics.error("answer")
            log.exception("an answer failed")
            raise UsamError(with_request_id(UNEXPECTED)) from error
        finally:
            self.metrics.question(outcome, seconds)
            stop.set()

    def _ask(self, question: AskRequest, annotator: str | None, stop: threading.Event) -> Iterator[AskEvent]:
        if question.audio is None and not question.source:
            raise RequestError("Record or upload a clip first, or pick an example.")
        self.questions.take(question.visitor)
        yield from self.loader.wait(stop)
        if stop.is_set():
            return
        began = time.monotonic()
        audio = question.audio or self.clips.load(question.source or "", question.start, question.end)
        clip = audio.get()
        if clip is None:
            raise RequestError(GONE)
        decode_s = time.monotonic() - began
        yield ClipLoaded(audio.heard)
        with self.teaching.paused():
            for event in self.loader.engine.stream(
                clip,
                question.text.strip() or None,
                task=question.task,
                history=question.history,
                seed=question.seed,
                temperature=question.temperature,
                stop=stop,
            ):
                if isinstance(event, Answer):
                    if stop.is_set() and not event.text.strip():
                        return  # nothing to read, to rate or to keep
                    answer = replace(event, timings=event.timings.after_decoding(decode_s))
                    source = question.source or ""
                    entry = SessionAnswer(
                        uuid.uuid4().hex,
                        answer,
                        audio,
                        source,
                        clip_name=question.clip_name or name_of(source),
                        asked_at=datetime.now(UTC),
                    )
                    yield self.stored(entry, clip, annotator, question.parent, keep_audio=question.keep_audio)
                else:
                    yield event

    def _import_item(self, item: WaitingItem, file: Path, stop: threading.Event) -> str | None:
        """Ask about a clip of a project, under nobody's name, and store the answer with its audio.

        Returns the answer's id, None where it was stopped. Raises UsamError, ModelError, StorageError.
        """
        try:
            for _ in self.loader.wait(stop):
                pass
        except UsamError as error:
            raise ModelError(str(error)) from error
        request = AskRequest(item.question, item.task, str(file), keep_audio=True, clip_name=item.source)
        if stop.is_set():
            return None
        *_, entry = self.ask(request, None, threading.Event())  # to its end: half an answer is none to judge
        assert isinstance(entry, SessionAnswer)
        if entry.storage_error:
            raise StorageError(entry.storage_error)
        if not entry.answer.text.strip():
            raise RequestError("The model gave no words, so there is nothing to judge.")
        return entry.answer_id

    def stored(
        self,
        entry: SessionAnswer,
        clip: Clip | None,
        annotator: str | None,
        parent: str | None = None,
        *,
        keep_audio: bool = False,
    ) -> SessionAnswer:
        """Keep the answer, and the audio of `clip` where the user agreed to that. The user gets the answer
        even if the database fails."""
        try:
            with heard_file(clip) if clip and keep_audio else nullcontext() as file:
                answer_id = self.feedback.record_answer(
                    entry.answer.to_json(),
                    annotator=annotator,
                    parent=parent,
                    audio_path=file,
                    token_ids=entry.answer.ids,
                    fingerprint=fingerprint(clip.waveform.numpy()) if clip else "",
                )
        except (StorageError, OSError) as error:
            log.warning("an answer could not be stored: %s", error)
            return replace(entry, storage_error=str(error))
        return replace(entry, answer_id=answer_id)


@contextmanager
def heard_file(clip: Clip) -> Iterator[str]:
    """A WAV file with exactly the samples that were heard and hashed, for as long as the block runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heard.wav"
        samples = pcm16(clip.waveform.numpy())
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, len(samples), "NONE", ""))
            file.writeframes(samples.tobytes())
        yield str(path)
