"""One answer to download: PNG and SVG to publish, CSV and JSON to compute with, a page to open offline."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from storage.export.tables.csv import escape
from ui.components import messages
from ui.inspector.experts import expert_names
from ui.inspector.payload import MeasuredOf, entropy_bits, nothing_measured
from ui.inspector.sound import waveform_of
from ui.report.offline_page import offline_page
from ui.studio.session import SessionAnswer
from ui.what_if.findings import Findings
from usam.schema.trace import AudioToken, Trace

if TYPE_CHECKING:
    from storage.annotation.spans import Span
    from storage.ratings.results import Rating


NOTHING = Findings()
LONGEST_FILE_NAME = 80  # characters


@dataclass(frozen=True)
class Export:
    """A file for the browser to save. It travels within the page, so no folder keeps a clip."""

    name: str
    mime: str
    content: bytes

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "mime": self.mime, "content": base64.b64encode(self.content).decode()}


def numbers_of(trace: Trace) -> pd.DataFrame:
    """One row a token: its times in seconds of the clip, routing, entropy, significance and its parts,
    and the words that the experts say at it."""
    return pd.DataFrame(
        {
            "from s": round(token.start, 3),
            "to s": round(token.end, 3),
            **{name: round(weight, 4) for name, weight in zip(trace.experts, token.routing, strict=True)},
            "entropy bits": round(entropy_bits(token.routing), 4),
            "significance": round(token.significance, 4),
            "predictive": round(token.predictive, 4),
            "text relevance": round(token.text_relevance, 4),
            "audio saliency": round(token.audio_saliency, 4),
            "redundant": "yes" if token.redundant else "",
            "word": token.word,
            "not read": "yes" if token.dropped else "",
            "words": words_text(token),
        }
        for token in trace.tokens
    )


def words_text(token: AudioToken) -> str:
    """What the experts say at a token: `hello (expert 1, 0.93); Dog (expert 2, 0.40)`."""
    return "; ".join(f"{word.text} ({word.expert}, {word.confidence:.2f})" for word in token.words)


def export(
    entry: SessionAnswer,
    kind: str,
    rating: Rating | None = None,
    found: Findings = NOTHING,
    spans: Sequence[Span] = (),
    *,
    dark: bool = False,
    measured_of: MeasuredOf = nothing_measured,
) -> Export:
    """The file of one `kind`: png, svg, csv, json or html. Raises ValueError for any other.

    found: what was tried on the answer.  spans: what the person marked.  dark: the theme of a picture.
    measured_of: as in `payload`.
    """
    if kind not in _KINDS:
        raise ValueError(f"there is no export of the kind {kind!r}")
    mime, write = _KINDS[kind]
    content = write(Account(entry, rating, found, spans, dark, measured_of))
    return Export(f"{file_name(entry)}.{kind}", mime, content)


def clip_of(entry: SessionAnswer) -> str:
    """The name of the clip for people; "clip" where nobody knows it."""
    return entry.clip_name or Path(entry.source).name or "clip"


def file_name(entry: SessionAnswer) -> str:
    """After clip and question, without an extension: `dog-what-animal-is-this`."""
    clip = clip_of(entry)
    words = f"{Path(clip).stem or clip} {entry.answer.question}".lower()
    return "-".join(re.findall(r"\w+", words))[:LONGEST_FILE_NAME].strip("-_") or "answer"


def caption(entry: SessionAnswer) -> tuple[str, str, str]:
    """The question, the answer, and what was heard by which model."""
    answer, model = entry.answer, entry.answer.model
    heard = f"{clip_of(entry)}, {messages.span(answer.heard.start, answer.heard.end, answer.heard.duration)}"
    made = f"{model.preset}, {model.quantization}, checkpoint {model.fingerprint[:8]}, seed {answer.seed}"
    llm = f", {model.llm}" if model.llm else ""
    return f"Question: {answer.question}", f"Answer: {answer.text or '(no words)'}", f"{heard}. {made}{llm}"


@dataclass(frozen=True)
class Account:
    """Everything that an exported file may contain. spans: what the person marked. dark: the theme of a
    picture."""

    entry: SessionAnswer
    rating: Rating | None
    found: Findings
    spans: Sequence[Span]
    dark: bool
    measured_of: MeasuredOf


def _picture(form: str) -> Callable[[Account], bytes]:
    def write(account: Account) -> bytes:
        from ui.report.trace_figure import trace_figure  # imports matplotlib: not before it is needed
        from usam.audio.samples import SAMPLE_RATE

        entry = account.entry
        start, trace = entry.answer.heard.start, entry.answer.trace
        figure = trace_figure(
            waveform_of(entry),
            SAMPLE_RATE,
            start,
            trace,
            account.spans,
            dark=account.dark,
            names=expert_names(trace, account.measured_of(entry.answer.model)),
            caption=caption(entry),
        )
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=144, facecolor=figure.get_facecolor())
        return file.getvalue()

    return write


def _csv(account: Account) -> bytes:
    table = numbers_of(account.entry.answer.trace)
    return (
        table.map(escape).rename(columns=escape).to_csv(index=False).encode("utf-8-sig")
    )  # Excel needs the mark


def _json(account: Account) -> bytes:
    """The answer's JSON object; where something was tried on it what came of that as `what_if`, and where
    something was marked in its clip the `spans`."""
    further = {
        "what_if": account.found.to_json(),
        "spans": [span.to_json() for span in account.spans],
    }
    record = account.entry.answer.to_json() | {name: value for name, value in further.items() if value}
    return json.dumps(record, ensure_ascii=False, indent=1).encode()


def _html(account: Account) -> bytes:
    page = offline_page(account.entry, account.rating, account.found, account.spans, account.measured_of)
    return page.encode()


_KINDS: dict[str, tuple[str, Callable[[Account], bytes]]] = {
    "png": ("image/png", _picture("png")),
    "svg": ("image/svg+xml", _picture("svg")),
    "csv": ("text/csv", _csv),
    "json": ("application/json", _json),
    "html": ("text/html", _html),
}
