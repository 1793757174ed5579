"""What happens with whole recordings: they are begun from the clip panel, and the view asks for the rest."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import gradio as gr

from storage import StorageError
from ui.access.request import visitor_of
from ui.components.event_data import value_of
from ui.pages.ask.recording import NOTE_JS, RecordingPanel
from ui.pages.ask.recording.answers import AnswerHandlers
from ui.pages.ask.recording.payload import Known, earlier_json, file_json, news_json, waveform_json
from ui.pages.ask.recording.questions import QuestionHandlers
from ui.server.queues import MODEL
from ui.studio.clips import name_of
from ui.studio.service import Studio
from usam.errors import RequestError, UsamError
from usam.schema.recording_files import FORMATS

log = logging.getLogger(__name__)

MOST_CHANGES = 20  # that one event may carry
FINE_SECONDS = 4000.0  # of a recording up to which zooming into its waveform shows words apart
NO_CLIP = "Record or upload a clip first."


class RecordingHandlers:
    """What differs between visitors is in the arguments. Everything updates the view alone."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.service = studio.recordings

    def opened(self, annotator: str, note: str) -> Any:
        """A page was opened: list the person's recordings, and show the one that its tab had open. One that
        was being heard when the server was restarted goes on."""
        kept = _note(note)
        recording = str(kept.get("id") or "")
        news = ""
        if recording:
            try:
                if kept.get("live") is True:
                    self.service.resume(recording, annotator, None)
                news = news_json(self.service, recording, annotator, Known(), opened="again")
            except (UsamError, StorageError) as error:
                log.info("a recording was not opened again: %s", error)
                news = self._news(recording, annotator, opened="again")
        return gr.update(news=news, earlier=self._earlier(annotator))

    def begin(self, source: str | None, english: bool, annotator: str, request: gr.Request) -> Any:
        """Hear all of the clip in the player. Raises gr.Error with the reason where that cannot be."""
        try:
            if not source:
                raise RequestError(NO_CLIP)
            task = "translate" if english else "transcribe"
            name, visitor = name_of(source), visitor_of(request)
            recording = self.service.begin(source, name, task, annotator, visitor)  # type: ignore[arg-type]
            return gr.update(news=news_json(self.service, recording, annotator, Known(), opened="wanted"))
        except (UsamError, StorageError) as error:
            raise gr.Error(str(error), title="Not begun", print_exception=False) from error

    def chosen(self, annotator: str, sent: gr.EventData) -> Any:
        return gr.update(news=self._news(_id(sent), annotator, opened="wanted"))

    def looked(self, annotator: str, sent: gr.EventData) -> Any:
        return gr.update(news=self._news(_id(sent), annotator, _known(sent)))

    def stopped(self, annotator: str, sent: gr.EventData) -> Any:
        return self._done(lambda: self.service.stop(_id(sent), annotator), annotator, sent)

    def resumed(self, annotator: str, sent: gr.EventData, request: gr.Request) -> Any:
        visitor = visitor_of(request)
        return self._done(lambda: self.service.resume(_id(sent), annotator, visitor), annotator, sent)

    def edited(self, annotator: str, sent: gr.EventData, request: gr.Request) -> Any:
        def edit() -> None:
            changes = value_of(sent, "changes")
            if not isinstance(changes, list) or len(changes) > MOST_CHANGES:
                raise RequestError("Segments are changed by a short list of changes.")
            self.studio.saves.take(visitor_of(request))
            self.service.edit(_id(sent), annotator, changes)

        return self._done(edit, annotator, sent)

    def removed(self, annotator: str, sent: gr.EventData) -> Any:
        try:
            self.service.delete(_id(sent), annotator)
        except StorageError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return self.listed(annotator)

    def listed(self, annotator: str) -> Any:
        return gr.update(earlier=self._earlier(annotator))

    def waved(self, annotator: str, sent: gr.EventData) -> Any:
        """The waveform; the recording can be worked with without one."""
        from usam.audio.envelope import envelope

        try:
            stored = self.service.store.get(_id(sent), annotator)
            peaks = envelope(Path(stored.path), stored.seconds, FINE_SECONDS)
        except (UsamError, StorageError, ValueError) as error:
            log.warning("the waveform of a recording could not be drawn: %s", error)
            return gr.skip()
        return gr.update(waveform=waveform_json(stored.id, peaks))

    def wanted(self, annotator: str, sent: gr.EventData) -> Any:
        """A file in one of the formats."""
        form, turn = value_of(sent, "form"), value_of(sent, "turn")
        try:
            if form not in FORMATS:
                raise RequestError(f"A file is one of {', '.join(FORMATS)}.")
            file = file_json(self.service, _id(sent), annotator, form, turn)
        except (UsamError, StorageError) as error:
            file = json.dumps({"turn": turn, "problem": str(error)})
        return gr.update(file=file)

    def _done(self, act: Callable[[], None], annotator: str, sent: gr.EventData) -> Any:
        """Do it, and say how the recording is afterwards, or why it could not be done."""
        problem = ""
        try:
            act()
        except (UsamError, StorageError) as error:
            problem = str(error)
        return gr.update(news=self._news(_id(sent), annotator, _known(sent), problem=problem))

    def _news(
        self,
        recording: str,
        annotator: str,
        known: Known = Known(),  # noqa: B008  (it is frozen)
        *,
        opened: Literal["", "wanted", "again"] = "",
        problem: str = "",
    ) -> str:
        """Empty for a recording that is not there, or cannot be read."""
        try:
            return news_json(self.service, recording, annotator, known, opened=opened, problem=problem)
        except (UsamError, StorageError) as error:
            log.info("a recording cannot be shown: %s", error)
            return ""

    def _earlier(self, annotator: str) -> str:
        try:
            return earlier_json(self.service.store.of(annotator))
        except StorageError as error:
            log.warning("recordings could not be listed: %s", error)
            return ""


def connect_recording(
    panel: RecordingPanel,
    audio: gr.Audio,
    english: gr.Checkbox,
    annotator: gr.BrowserState,
    begins: list[Any],
    studio: Studio,
    opened: Any,
    fast: dict[str, Any],
    quiet: dict[str, Any],
) -> None:
    """begins: events that begin to hear the clip.  opened: after which the person's id is known.  fast,
    quiet: how events are attached that wait in no queue, and in one."""
    handlers = RecordingHandlers(studio)
    view: dict[str, Any] = {"outputs": panel.view, "trigger_mode": "multiple"}
    opened.then(None, annotator, [annotator, panel.note], js=NOTE_JS).then(
        handlers.opened, [annotator, panel.note], **{**fast, **view}
    )
    gr.on(begins, handlers.begin, [audio, english, annotator], **{**quiet, **view})
    for name in ("chosen", "looked", "stopped", "resumed", "edited", "removed", "listed", "wanted"):
        getattr(panel.view, name)(getattr(handlers, name), annotator, **{**fast, **view})
    questions = QuestionHandlers(studio)
    model = {"concurrency_id": MODEL, "concurrency_limit": studio.settings.at_once}
    panel.view.asked(questions.asked, annotator, **{**quiet, **view, **model})
    answers = AnswerHandlers(studio)
    for name in ("rated", "withdrawn"):
        getattr(panel.view, name)(getattr(answers, name), annotator, **{**fast, **view})
    panel.view.halted(questions.halted, None, **{**fast, "outputs": None})
    panel.view.waved(handlers.waved, annotator, **{**quiet, **view})


def _id(sent: gr.EventData) -> str:
    return str(value_of(sent, "id") or "")


def _known(sent: gr.EventData) -> Known:
    numbers = [value_of(sent, name) for name in ("parts", "words", "edits")]
    if not all(isinstance(number, int) and number >= -1 for number in numbers):
        return Known()
    parts, words, edits = numbers
    return Known(parts, max(words, 0), edits)


def _note(note: object) -> dict[str, Any]:
    """What the tab kept; all of it is untrusted."""
    try:
        kept = json.loads(note) if isinstance(note, str) and len(note) < 500 else {}
    except (ValueError, RecursionError):
        kept = {}
    return kept if isinstance(kept, dict) else {}
