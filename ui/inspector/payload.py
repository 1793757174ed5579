"""What the viewer is sent about one answer: less than 1 MB for 30 s, as JSON no text can escape."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ui.inspector import sound
from ui.inspector.experts import expert_names
from ui.inspector.palette import EXPERT_COLOURS
from ui.inspector.summary import describe
from ui.studio.session import SessionAnswer
from ui.studio.stored_answers import link_of
from usam.schema.answer import ModelInfo
from usam.schema.trace import Trace

if TYPE_CHECKING:
    from torch import Tensor

    from usam.interpretability.attribution import Attribution

MeasuredOf = Callable[[ModelInfo], dict[str, Any] | None]

BANDS = 96
FRAME_RATE = 100
SUPERVISION = {"question": "the question", "question+answer": "the question and answer"}
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}


def nothing_measured(model: ModelInfo) -> None:
    """Of no checkpoint is anything known."""


def payload(entry: SessionAnswer, measured_of: MeasuredOf = nothing_measured) -> dict[str, Any]:
    """The trace with its sound. Times are seconds of the original clip; entropy is in bits.

    measured_of: what the evaluation of a model's checkpoint found about its router.
    """
    from usam.model.router_health import COLLAPSED, DEAD  # imports torch: not before it is needed

    answer = entry.answer
    trace, heard, measured = answer.trace, answer.heard, measured_of(answer.model)
    names = expert_names(trace, measured)
    return {
        "key": entry.key,
        "link": link_of(entry),
        "source": source_name(entry.source),
        "summary": describe(answer, names),
        "answer": answer.text,
        "question": answer.question,
        "fingerprint": answer.model.fingerprint,
        "model": f"{answer.model.preset}, {answer.model.quantization}",
        "heard": {"start": heard.start, "end": heard.end, "duration": heard.duration},
        "paddedEnd": padded_end(trace),
        "experts": names,
        "colours": EXPERT_COLOURS,
        "supervision": SUPERVISION[trace.supervised_by],
        "threshold": trace.threshold,
        "pruned": trace.pruned,
        "tokens": columns(trace, names),
        "sound": _sound(entry),
        "audible": entry.clip is not None,
        "router": typical_routing(measured, len(trace.experts)),
        "collapsed": COLLAPSED,
        "dead": DEAD,
    }


def source_name(source: str | None) -> str:
    """Identifies a file in the page's player to the browser without revealing its path; empty for none."""
    return hashlib.sha256(source.encode()).hexdigest()[:16] if source else ""


def viewer_json(
    entry: SessionAnswer, other: SessionAnswer | None = None, measured_of: MeasuredOf = nothing_measured
) -> str:
    """The viewer's value as JSON: a trace, and the one it is compared with. The same sound is sent once."""
    compared = payload(other, measured_of) if other else None
    if compared and other and _same_sound(entry, other):
        compared["sound"] = None
    return as_json({"trace": payload(entry, measured_of), "other": compared})


def attribution_json(entry: SessionAnswer, found: Attribution | None) -> str:
    """The attribution of each word as JSON, a number a token; empty for none."""
    if found is None:
        return ""
    words = [
        {"text": word.text, "scores": [round(score, 4) for score in scores]}
        for word, scores in zip(found.words, found.scores, strict=True)
    ]
    return as_json({"key": entry.key, "words": words})


def router_json(router: dict[str, Any]) -> str:
    """The router's state when the model had loaded, as JSON."""
    names = ("fingerprint", "experts", "distinct", "load", "entropy_bits", "dead", "collapsed")
    return as_json({name: router[name] for name in names})


def columns(trace: Trace, names: Sequence[str] = ()) -> dict[str, list[Any]]:
    """One value a token. Significance is not rounded, since it is compared with the threshold.

    names: of the experts, by default the trace's own.
    """
    tokens = trace.tokens
    name_of = dict(zip(trace.experts, names or trace.experts, strict=True))
    return {
        "start": [round(token.start, 6) for token in tokens],
        "end": [round(token.end, 6) for token in tokens],
        "routing": [[round(weight, 5) for weight in token.routing] for token in tokens],
        "entropy": [round(entropy_bits(token.routing), 5) for token in tokens],
        "significance": [token.significance for token in tokens],
        "predictive": [round(token.predictive, 5) for token in tokens],
        "text_relevance": [round(token.text_relevance, 5) for token in tokens],
        "audio_saliency": [round(token.audio_saliency, 5) for token in tokens],
        "word": [token.word for token in tokens],
        "dropped": [token.dropped for token in tokens],
        "words": [
            [
                {
                    "expert": name_of.get(word.expert, word.expert),
                    "text": word.text,
                    "confidence": round(word.confidence, 4),
                }
                for word in token.words
            ]
            for token in tokens
        ],
    }


def entropy_bits(weights: tuple[float, ...]) -> float:
    """Of one token's routing: 0 when one expert takes it all, log2 of their number when all take the same."""
    return sum(-weight * math.log2(weight) for weight in weights if weight > 0)


def padded_end(trace: Trace) -> float:
    """Where the model's last window ends, in seconds of the clip; past the heard end it was given silence.

    The heard end itself when the trace is too short to derive the length of a window.
    """
    tokens = trace.tokens
    last = tokens[-1]
    if last.window == tokens[0].window:
        return last.end
    per_window = sum(token.window == tokens[0].window for token in tokens)
    length = per_window * (tokens[1].start - tokens[0].start)
    return max(last.end, tokens[0].start + (last.window - tokens[0].window + 1) * length)


def typical_routing(measured: dict[str, Any] | None, experts: int) -> dict[str, Any] | None:
    """Mean routing by kind of sound and over all; None where nothing was measured of so many experts."""
    if not measured or len(measured["load"]) != experts:
        return None
    return {"typical": measured["share_by_kind"], "load": measured["load"]}


def as_json(value: Any) -> str:
    """JSON in ASCII without `<`, `>` and `&`: inside a script element, too, it is nothing but data."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)


def _same_sound(entry: SessionAnswer, other: SessionAnswer) -> bool:
    one, two = entry.answer, other.answer
    same_tokens = [t.start for t in one.trace.tokens] == [t.start for t in two.trace.tokens]
    return one.heard == two.heard and one.trace.experts == two.trace.experts and same_tokens


def _sound(entry: SessionAnswer) -> Mapping[str, Any]:
    """Of what was heard, encoded once as long as the clip is in memory."""
    encoded = entry.audio.derived(encoded_sound) if entry.audio else None
    return encoded or encoded_sound(sound.silence(entry.answer.heard))


def encoded_sound(waveform: Tensor) -> dict[str, Any]:
    """[samples] at 16 kHz as the viewer draws and plays it."""
    from usam.audio.spectrogram import level_range, log_mel, mel_centres

    mel = log_mel(waveform, BANDS)
    low, high = level_range(mel)
    return {
        "mel": _base64(sound.levels(mel, low, high).tobytes()),
        "hertz": [round(float(hertz), 1) for hertz in mel_centres(BANDS)],
        "low": low,
        "high": high,
        "rate": FRAME_RATE,
        "peaks": _base64(sound.peaks(waveform).tobytes()),
        "peak": round(float(waveform.abs().max()), 4),
        "samples": len(waveform),
        "opus": _base64(sound.opus(waveform)),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
