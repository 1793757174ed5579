"""The card about training data: what an export would hold and leave out, before anyone makes it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import Feedback, StorageError
from storage.export import FORMATS, preview
from storage.export.audit import Audit
from ui import render

if TYPE_CHECKING:
    from ui.dashboard.door import Door
    from ui.studio import Studio

REASONS = {
    "withdrawn": "withdrawn",
    "neutral": "thumb neither up nor down",
    "no_thumb": "no thumb",
    "tie": "tie",
    "both_bad": "both bad",
    "preference": "a preference says nothing about one answer alone",
    "identical": "both texts the same",
    "empty": "empty",
    "unfinished": "answer broken off",
    "contradicting": "as many up as down",
    "duplicate": "said before",
    "unpaired": "no counterpart on the same question",
    "no_audio": "audio not kept",
}


def training_card(studio: Studio, door: Door, password: gr.Textbox) -> None:
    """Lay the card out and connect it. Called inside the page's context."""
    with gr.Column(elem_id="training"):
        gr.HTML(
            "<h3>Training data</h3><p class='hint'>What an export would hold and leave out, and what to know "
            "before training on it.</p>"
        )
        with gr.Row(elem_id="training-row"):
            format = gr.Dropdown(list(FORMATS), value="dpo", label="Format", elem_id="format")
            look = gr.Button("Audit", min_width=110, scale=0, elem_id="audit")
        found = gr.HTML("", elem_id="audited")

    def audited(format: str, typed: str, request: gr.Request, profile: gr.OAuthProfile | None = None) -> str:
        return door.shown(typed, request, lambda: audit_shown(studio.feedback, format), profile)

    look.click(audited, [format, password], found, show_progress="minimal", api_visibility="private")


def audit_shown(feedback: Feedback, format: str) -> str:
    if format not in list(FORMATS):
        return render.fault("There is no such format.")
    try:
        done = preview(feedback.database, format)
    except StorageError as error:
        return render.fault(str(error))
    command = f"python -m storage export --format {format} --out DIR --audit"
    return (
        f'<div class="audit">{_counts("Read", done.read)}{_counts("Written", done.rows)}'
        f"{_counts('Left out', {REASONS.get(name, name): n for name, n in done.dropped.items()})}</div>"
        f"{_findings(done)}<p class='hint'>To make it, whoever runs the app says "
        f"<code>{escape(command)}</code>.</p>"
    )


def _counts(title: str, counts: Mapping[str, int]) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{count:,}</td></tr>" for name, count in counts.items() if count
    )
    body = rows or "<tr><td>nothing</td><td>0</td></tr>"
    head = f'<thead><tr><th scope="colgroup" colspan="2">{title}</th></tr></thead>'
    return f'<table class="numbers">{head}<tbody>{body}</tbody></table>'


def _findings(done: Audit) -> str:
    lines = [
        sentence
        for name, say in _SENTENCES.items()
        if name in done.findings
        for sentence in say(done.findings[name])
    ]
    return f"<ul class='findings'>{''.join(f'<li>{line}</li>' for line in lines)}</ul>" if lines else ""


def _length(found: Mapping[str, Any]) -> list[str]:
    chosen, rejected = found["mean_chosen_characters"], found["mean_rejected_characters"]
    return [
        f"The preferred text is the longer one in <b>{found['chosen_longer']:.0%}</b> of pairs; it has "
        f"<b>{chosen:g}</b> characters on average, the other <b>{rejected:g}</b>."
    ]


def _balance(found: Mapping[str, Any]) -> list[str]:
    counts = (
        f"<b>{found['desirable']:,}</b> desirable and <b>{found['undesirable']:,}</b> undesirable answers"
    )
    if "desirable_weight" not in found:
        return [f"{counts}: KTO needs both."]
    return [
        f"{counts}; set KTO's desirable_weight to <b>{found['desirable_weight']:g}</b> and its "
        f"undesirable_weight to <b>{found['undesirable_weight']:g}</b>."
    ]


def _people(found: Mapping[str, Any]) -> list[str]:
    return [f"<b>{found['count']:,}</b> people; one of them gave <b>{found['largest_share']:.0%}</b> of it."]


def _sides(found: Mapping[str, Any]) -> list[str]:
    return [f"The left side won <b>{found['left_won']:.0%}</b> of {found['votes']:,} decided comparisons."]


_SENTENCES = {"length": _length, "balance": _balance, "annotators": _people, "sides": _sides}
