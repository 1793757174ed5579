"""The card about training data: what an export contains and leaves out, shown before its download."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import Database, StorageError, now
from storage.export import FORMATS, pack
from storage.export.audit import Audit
from storage.ratings.validation import DIMENSIONS
from ui.components import messages
from ui.server.downloads import ROUTE, Downloads, Offer
from ui.studio.jobs import JobResult, run_job
from usam.errors import RequestError
from usam.progress import ProgressCallback

if TYPE_CHECKING:
    from ui.access.admin import AdminGate
    from ui.studio.service import Studio

log = logging.getLogger(__name__)

REDRAW_SECONDS = 0.3
_ONCE = "setTimeout(() => { this.querySelector('button').disabled = true; })"

REASONS = {
    "withdrawn": "withdrawn",
    "neutral": "thumb neither up nor down",
    "no_thumb": "no thumb",
    "tie": "tie",
    "both_bad": "both bad",
    "preference": "a preference does not judge one answer alone",
    "identical": "both texts the same",
    "alike": "texts the same but for case or a full stop",
    "empty": "empty",
    "unfinished": "answer stopped early",
    "contradicting": "others preferred the opposite",
    "duplicate": "duplicate",
    "unpaired": "no counterpart on the same question",
    "no_audio": "audio not kept",
}


def training_card(
    studio: Studio, gate: AdminGate, password: gr.Textbox, project: gr.Dropdown | None = None
) -> None:
    """Lay the card out and connect it. project: where the one is chosen whose items alone are exported; by
    default all answers are. Called inside the page's context."""
    with gr.Column(elem_id="training"):
        gr.HTML(
            "<h3>Training data</h3><p class='hint'>Prepared and audited before it is downloaded: what it "
            "holds and leaves out, and what to know before training on it.</p>"
        )
        with gr.Row(elem_id="training-row"):
            format = gr.Dropdown(list(FORMATS), value="dpo", label="Format", elem_id="format")
            make = gr.Button("Prepare", min_width=110, scale=0, elem_id="prepare")
        made = gr.HTML("", elem_id="prepared")

    def prepared(
        format: str,
        typed: str,
        name: str | None,
        request: gr.Request,
        profile: gr.OAuthProfile | None = None,
    ) -> Iterator[str]:
        try:
            gate.require(typed, request, profile)
        except RequestError as refusal:
            yield messages.fault(str(refusal))
        else:
            if project is not None and not name:
                yield messages.fault("Choose a project first.")
                return
            dimensions = studio.settings.dimensions
            yield from prepare(studio.feedback.database, studio.downloads, format, dimensions, name)

    make.click(
        prepared,
        [format, password, gr.State(None) if project is None else project],
        made,
        show_progress="hidden",
        trigger_mode="once",
        concurrency_limit=1,  # an export reads everything
        api_visibility="private",
    )


def prepare(
    database: Database,
    downloads: Downloads,
    format: str,
    dimensions: Collection[str] = DIMENSIONS,
    project: str | None = None,
) -> Iterator[str]:
    """How far the export is, in HTML, then its audit with a button to download it. The file is the one
    that was audited, also when people rated meanwhile. A page that is closed cancels it."""
    try:
        part = f"{project.replace(' ', '-')}-" if project else ""
        offer = downloads.begin(f"usam-{part}{format}-{now():%Y%m%d}.zip")
    except OSError as error:
        log.exception("there is no folder for exports")
        yield messages.fault(f"Nothing can be prepared: {error.strerror}.")
        return
    due = 0.0

    def make(progress: ProgressCallback) -> Audit:
        def read(count: int, of: int) -> None:
            progress(f"{count:,} judgements read", count / max(of, 1))

        return pack(database, format, offer.file, read, dimensions, project)

    try:
        for event in run_job(make, threading.Event()):
            if isinstance(event, JobResult):
                audited = audit_html(event.result, offer)
                downloads.offer(offer)
                yield audited
            elif time.monotonic() >= due:
                due = time.monotonic() + REDRAW_SECONDS
                yield messages.working(event.message, event.share)
    except StorageError as error:
        yield messages.fault(str(error))
    finally:
        downloads.withdraw(offer)


def audit_html(done: Audit, offer: Offer) -> str:
    """The audit, and the button. The key is in the page and in the form's body, in no address."""
    size = offer.file.stat().st_size
    left_out = {REASONS.get(name, name): count for name, count in done.dropped.items()}
    counts = {"Read": done.read, "Written": done.rows, "Left out": left_out}
    tables = "".join(messages.counts_table(title, found) for title, found in counts.items())
    return (
        f'<div class="audit">{tables}</div>{_findings(done)}'
        f'<form class="take" method="post" action="{ROUTE}" onsubmit="{_ONCE}">'
        f'<input type="hidden" name="key" value="{escape(offer.key)}">'
        f'<button type="submit">Download {escape(offer.name)}, {_size(size)}</button>'
        "<p class='hint'>It can be downloaded once, within ten minutes, and is then deleted here.</p></form>"
    )


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{max(count / 2**10, 0.1):.1f} KB"


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
