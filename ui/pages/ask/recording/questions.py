"""Questions about all of a recording: the answer as it is written, and the spans that it leans on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from storage import StorageError
from ui.access.request import page_of, visitor_of
from ui.components.event_data import value_of
from ui.components.turns import take_turn
from ui.pages.ask.recording.answers import shown_answer
from ui.studio.clips import GONE
from ui.studio.service import UNEXPECTED, Studio, log
from usam.errors import RequestError, UsamError
from usam.schema.events import TextDelta
from usam.schema.recording_answer import RecordingAnswer, SpanAnswer, SpanEncoded, clock

REDRAW_SECONDS = 0.1
NOT_KEPT = "This answer could not be stored, so it cannot be rated."


class QuestionHandlers:
    """What differs between visitors is in the arguments."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def asked(self, annotator: str, sent: gr.EventData, request: gr.Request) -> Iterator[Any]:
        """The answer, piece by piece, and at its end as it was stored."""
        turn, text, about_spans = value_of(sent, "turn"), "", ""
        ending: dict[str, Any] = {}
        page, due = page_of(request), 0.0
        take_turn(self.studio, page, visitor_of(request), lapses=False)

        def shown(line: str, *, done: bool = False) -> Any:
            record = {
                "turn": turn,
                "line": line,
                "text": text or about_spans,
                "leans": [],
                **ending,
                "done": done,
            }
            return gr.update(answer=json.dumps(record, ensure_ascii=False))

        line = ""
        try:
            for event in self._events(sent, annotator, request):
                if isinstance(event, SpanEncoded):
                    line = f"Listening: {clock(event.end)} of {clock(event.duration)}"
                elif isinstance(event, SpanAnswer):
                    line = f"Asked up to {clock(event.end)}"
                    about_spans += f"{event.line}\n"
                elif isinstance(event, TextDelta):
                    text += event.text
                else:
                    ending = shown_answer(event.to_json()) | self._kept(event, sent, annotator)
                    text, line = ending["text"], ending["line"]
                if isinstance(event, SpanAnswer) or time.monotonic() >= due:  # the next may take a while
                    due = time.monotonic() + REDRAW_SECONDS
                    yield shown(line)
            yield shown(line if text else "Stopped.", done=True)
        except (UsamError, StorageError) as error:
            yield shown(str(error), done=True)
        except Exception:
            log.exception("a question about a recording failed")
            yield shown(UNEXPECTED, done=True)
        finally:
            self.studio.running.end(page)

    def halted(self, request: gr.Request) -> None:
        self.studio.running.stop(page_of(request))

    def _kept(self, answer: RecordingAnswer, sent: gr.EventData, annotator: str) -> dict[str, Any]:
        """Store it. The person gets the answer even if that fails."""
        if not answer.text.strip():
            return {}
        recording = str(value_of(sent, "id") or "")
        try:
            stored = self.studio.recordings.answers.add(recording, annotator, answer.to_json())
        except StorageError as error:
            log.warning("an answer about a recording could not be stored: %s", error)
            return {"problem": f"{NOT_KEPT} {error}"}
        return {"id": stored}

    def _events(
        self, sent: gr.EventData, annotator: str, request: gr.Request
    ) -> Iterator[SpanEncoded | SpanAnswer | TextDelta | RecordingAnswer]:
        question = value_of(sent, "question")
        stored = self.studio.recordings.store.get(str(value_of(sent, "id") or ""), annotator)
        if not Path(stored.path).is_file():
            raise RequestError(GONE)
        self.studio.questions.take(visitor_of(request))
        stop = self.studio.running.stop_event(page_of(request))
        for _ in self.studio.loader.wait(stop):
            pass
        if stop.is_set():
            return
        with self.studio.teaching.paused():
            yield from self.studio.loader.engine.ask_recording(
                stored.path, question if isinstance(question, str) else None, stop=stop
            )
