"""The clip panel: record, upload or pick an example, and choose the span that is heard."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ui.access.identity import whose_id
from ui.components import messages
from ui.components.chips import chip_row
from ui.components.microphone import microphone_notice
from ui.components.uploads import uploads_only
from ui.examples import EXAMPLES
from ui.inspector.payload import source_name
from ui.pages.ask import render
from ui.pages.ask.display import Display
from ui.pages.ask.span import clip_json, no_sound_json, sound_json, span_json, span_region, waveform_json
from ui.settings import Settings
from ui.studio.clips import name_of
from ui.studio.service import Studio
from ui.studio.session import Session
from ui.studio.stored_answers import same_clip
from usam.audio.samples import SAMPLE_RATE
from usam.errors import UsamError
from usam.schema.tasks import TASKS
from usam.schema.trace import ClipSpan

Updates = dict[Any, Any]

log = logging.getLogger(__name__)

SHORTEST_SPAN = 1.0
"""Seconds; the same as in span/span.js."""


@dataclass(frozen=True, eq=False)
class ChosenClip:
    """A file on the page and its length in seconds."""

    source: str = ""
    duration: float = 0.0

    def span(
        self, start: float | None, length: float | None, longest: float
    ) -> tuple[float | None, float | None]:
        """The span to ask for: the region only counts for clips longer than what is heard at once. A field
        that was emptied counts as untouched."""
        if self.duration <= longest:
            return None, None
        start = min(max(start or 0.0, 0.0), self.duration - SHORTEST_SPAN)
        length = min(max(longest if length is None else length, SHORTEST_SPAN), longest)
        return start, min(start + length, self.duration)


@dataclass(frozen=True)
class ClipPanel:
    """region, start, length: three ways to the same span.  whole: hears all of the clip, `english` into
    English.  mark: the style of the example that is in the
    player.  keep: laid out by the page."""

    audio: gr.Audio
    outlook: gr.HTML
    span: gr.Column
    region: gr.HTML
    start: gr.Number
    length: gr.Number
    whole: gr.Button
    english: gr.Checkbox
    chosen: gr.State
    keep: gr.Checkbox
    examples: dict[str, gr.Dataset]
    mark: gr.HTML


def clip_panel(settings: Settings) -> ClipPanel:
    audio = gr.Audio(
        sources=["upload", "microphone"],
        type="filepath",
        label="Clip",
        buttons=[],
        elem_id="clip",
        waveform_options=gr.WaveformOptions(
            waveform_color="#9a968c",
            waveform_progress_color="#2a8381",
            trim_region_color="#2a8381",
            sample_rate=SAMPLE_RATE,
        ),
    )
    uploads_only(audio)
    longest = settings.max_seconds
    microphone_notice()
    outlook = gr.HTML(render.NO_CLIP, elem_id="outlook")
    with gr.Column(visible=False, elem_id="span") as span:
        region = span_region()
        with gr.Row():
            start = gr.Number(0, step=0.1, label="Hear from (s)", min_width=120, elem_id="span-start")
            length = gr.Number(longest, step=0.1, label="for (s)", min_width=120, elem_id="span-length")
        with gr.Row(elem_id="whole-row"):
            whole = gr.Button("Transcribe all of it", elem_id="whole", size="sm", min_width=150, scale=1)
            english = gr.Checkbox(False, label="in English", elem_id="whole-english", min_width=110, scale=0)
    with gr.Row(elem_id="examples"):
        mark = gr.HTML("", elem_id="example-mark")
        examples = {
            kind: chip_row(kind, [example.label for example in offered]) for kind, offered in EXAMPLES.items()
        }
    keep = gr.Checkbox(
        False,
        label="Also store this clip's audio",
        info="Each answer is stored here with its question, its trace, a hash and a fingerprint of the clip, "
        f"under {whose_id(settings)}. With the audio, others who annotate here, whoever runs this app and "
        "whoever has the link to an answer can hear it, and it can be used for training. You can delete it "
        "all under “Your data”.",
        elem_id="keep",
        render=False,
    )
    return ClipPanel(
        audio,
        outlook,
        span,
        region,
        start,
        length,
        whole,
        english,
        gr.State(ChosenClip()),
        keep,
        examples,
        mark,
    )


def clip_chosen(panel: ClipPanel, source: str, clip: ClipSpan, longest: float) -> Updates:
    """A new clip: show which span will be heard, and offer the region when that is not all of it."""
    long = clip.duration > longest
    return {
        panel.outlook: render.will_hear(clip.start, clip.end, clip.duration, longest, name_of(source)),
        panel.mark: render.example_mark(source),
        panel.chosen: ChosenClip(source, clip.duration),
        panel.span: gr.update(visible=long),
        **(
            {
                panel.region: gr.update(
                    value=span_json(0.0, longest), clip=clip_json(source, clip.duration, longest), sound=""
                ),
                panel.start: 0,
                panel.length: longest,
            }
            if long
            else {}
        ),
    }


def no_clip(panel: ClipPanel, line: str = "") -> Updates:
    return {
        panel.outlook: line or render.NO_CLIP,
        panel.mark: "",
        panel.chosen: ChosenClip(),
        panel.span: gr.update(visible=False),
    }


class ClipHandlers:
    """What differs between visitors is in the arguments."""

    def __init__(self, panel: ClipPanel, display: Display, studio: Studio) -> None:
        self.panel = panel
        self.display = display
        self.studio = studio
        self.longest = studio.settings.max_seconds

    def clip_changed(self, source: str | None, session: Session, annotator: str) -> Updates:
        """A clip was recorded, uploaded, trimmed or removed. Another clip ends the conversation, and makes
        the answer on display one about another clip."""
        tied, clips, problem, audio = session.context_entry, self.studio.clips, "", None
        changed = self.display.unlinked(session) if tied and not same_clip(tied, source, clips) else {}
        if source:
            try:
                audio = clips.load(source)
            except UsamError as error:
                problem = messages.fault(str(error))
        beside = self.display.beside(source if audio else None, session, annotator)
        drawn = beside.pop(self.display.inspector.viewer, None)
        viewer = {"player": source_name(source), **({"value": drawn} if drawn else {})}
        return {
            **(
                clip_chosen(self.panel, source, audio.heard, self.longest)
                if source and audio
                else no_clip(self.panel, problem)
            ),
            **changed,
            **beside,
            self.display.answer.notice: "",
            self.display.inspector.viewer: gr.update(**viewer),
        }

    def span_changed(
        self, start: float | None, length: float | None, chosen: ChosenClip, session: Session
    ) -> Updates:
        """Another span was chosen; one beyond the clip, or beyond what is heard at once, is put right."""
        begin, end = chosen.span(start, length, self.longest)
        if begin is None or end is None:
            return self.display.unlinked(session)
        line = render.will_hear(begin, end, chosen.duration, self.longest, name_of(chosen.source))
        heard = round(begin, 1), min(math.ceil((end - begin) * 10 - 1e-6) / 10, self.longest)
        fields = (
            {self.panel.start: heard[0], self.panel.length: heard[1], self.panel.region: span_json(*heard)}
            if heard != (start, length)
            else {}
        )
        return {self.panel.outlook: line, **fields, **self.display.unlinked(session)}

    def waveform(self, source: str | None, chosen: ChosenClip) -> Updates:
        """The picture under the region. Without one, the span can be chosen all the same."""
        from usam.audio.envelope import envelope

        if not source or source != chosen.source:
            return gr.skip()  # it was replaced meanwhile
        try:
            peaks = envelope(Path(source), chosen.duration)
        except UsamError as error:
            log.warning("the waveform of a clip could not be drawn: %s", error)
            return gr.skip()
        return {self.panel.region: gr.update(waveform=waveform_json(source, peaks))}

    def hear(
        self,
        source: str | None,
        start: float | None,
        length: float | None,
        chosen: ChosenClip,
        event: gr.EventData,
    ) -> Updates:
        """The span as the model will hear it, to be played. The question about it needs it decoded anyway."""
        if not source or source != chosen.source:
            return gr.skip()
        try:
            audio = self.studio.clips.load(source, *chosen.span(start, length, self.longest))
            sound = sound_json(event.turn, audio)
        except UsamError as error:
            sound = no_sound_json(event.turn, str(error))
        return {self.panel.region: gr.update(sound=sound)}

    def example_chosen(self, kind: str, index: int, session: Session) -> Updates:
        examples = EXAMPLES[kind]
        if not isinstance(index, int) or not 0 <= index < len(examples):
            raise gr.Error("There is no such example.", print_exception=False)
        example = examples[index]
        return {
            **self.display.unlinked(session),
            self.panel.audio: example.path,
            self.panel.mark: render.example_mark(example.path),
            self.display.question.task: example.task,
            self.display.question.text: gr.Textbox(example.question, placeholder=TASKS[example.task].prompt),
        }
