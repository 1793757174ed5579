"""The region on the waveform of a long clip: which span of it is heard."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ui.inspector.payload import encoded_sound, source_name
from ui.viewer.assets import script

if TYPE_CHECKING:
    import numpy as np

    from ui.studio.clips import HeardClip

FOLDER = Path(__file__).parent
FIELDS_JS = "(span) => { const { start, length } = JSON.parse(span); return [start, length]; }"
"""From the region's value to the number fields."""
REGION_JS = "(start, length) => JSON.stringify({ start, length })"
"""From the number fields to the region's value."""


def span_region() -> gr.HTML:
    """Its value is the span (`span_json`). Its properties: `clip`, what it lies in (`clip_json`), `waveform`
    of that (`waveform_json`), and `sound` of the span (`sound_json`). Its events: `chosen`, another span;
    `opened`, there is a clip to send the waveform of; `hear`, the span is to be played."""
    return gr.HTML(
        "",
        html_template=(FOLDER / "region.html").read_text(encoding="utf-8"),
        css_template=(FOLDER / "region.css").read_text(encoding="utf-8"),
        js_on_load=script(FOLDER / "region.js"),
        apply_default_css=False,
        elem_id="span-region",
        clip="",
        waveform="",
        sound="",
    )


def span_json(start: float, length: float) -> str:
    return json.dumps({"start": start, "length": length})


def clip_json(source: str, duration: float, longest: float) -> str:
    """duration: s of the clip.  longest: s that are heard at once."""
    return json.dumps({"key": source_name(source), "duration": duration, "longest": longest})


def waveform_json(source: str, peaks: np.ndarray) -> str:
    """peaks: uint8 [parts], the highest level in equal parts of the clip."""
    return json.dumps({"key": source_name(source), "peaks": b64encode(peaks.tobytes()).decode()})


def sound_json(turn: object, audio: HeardClip) -> str:
    """What the model will hear. turn: names the request that this answers."""
    encoded: dict[str, Any] = dict(audio.derived(encoded_sound) or {})
    return json.dumps({"turn": turn, "opus": encoded.get("opus"), "samples": encoded.get("samples")})


def no_sound_json(turn: object, problem: str) -> str:
    return json.dumps({"turn": turn, "problem": problem})
