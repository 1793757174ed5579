"""The Browse page: filters, what they find, and the way to older answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import StorageError
from storage.answers.browse import PageKey, SearchFilter, browse, choices
from ui.access.admin import AdminGate
from ui.components.messages import refusal_html
from ui.pages.browse import render
from usam.errors import RequestError
from usam.schema.tasks import TASKS

if TYPE_CHECKING:
    from ui.studio.service import Studio

Updates = dict[Any, Any]

_ANY = ("any", "")
_DAY = "%Y-%m-%d"


@dataclass(frozen=True)
class Filters:
    """In the order of `SearchFilter`."""

    words: gr.Textbox
    task: gr.Dropdown
    kind: gr.Dropdown
    model: gr.Dropdown
    quantization: gr.Dropdown
    thumb: gr.Dropdown
    score: gr.Dropdown
    since: gr.Textbox
    until: gr.Textbox

    @property
    def blocks(self) -> list[gr.components.Component]:
        return list(vars(self).values())


def search_filter(*values: Any) -> SearchFilter:
    """The filters' values as they are looked for; `until` is the last day. Raises RequestError."""
    words, *chosen, since, until = values
    first, last = _day(since), _day(until)
    end = last + timedelta(days=1) if last else None
    task, kind, model, quantization, thumb, score = (None if value == _ANY[1] else value for value in chosen)
    return SearchFilter(words or "", task, kind, model, quantization, thumb, score, first, end)


def _day(text: str | None) -> datetime | None:
    written = (text or "").strip()
    if not written:
        return None
    try:
        return datetime.strptime(written, _DAY).replace(tzinfo=UTC)
    except ValueError as error:
        raise RequestError("A day is written like 2026-01-31.") from error


def browse_page(demo: gr.Blocks, studio: Studio, gate: AdminGate) -> None:
    """Lay the page out and connect it. Called inside its route's context."""
    database = studio.feedback.database
    gr.Navbar(main_page_name="Studio")
    gr.HTML("<h2>Browse</h2>" + render.HINT, elem_id="browse-head")
    password = gate.password_box("browse-password")
    filters = _filters()
    found = gr.HTML("", elem_id="browse")
    older = gr.Button("Older", size="sm", visible=False, elem_id="older")
    after = gr.State(None)

    def look(key: PageKey | None, values: tuple[Any, ...], require: Callable[[], None]) -> Updates:
        try:
            require()
            page = browse(database, search_filter(*values), key)
        except (RequestError, StorageError) as refusal:
            return {found: refusal_html(refusal), older: gr.Button(visible=False)}
        return {
            found: render.page(page),
            after: page.after,
            older: gr.Button(visible=page.after is not None),
        }

    def searched(typed: str, request: gr.Request, profile: gr.OAuthProfile | None, *values: Any) -> Updates:
        return look(None, values, partial(gate.require, typed, request, profile))

    def next_page(
        typed: str, key: PageKey | None, request: gr.Request, profile: gr.OAuthProfile | None, *values: Any
    ) -> Updates:
        return look(key, values, partial(gate.require, typed, request, profile))

    def opened(typed: str, request: gr.Request, profile: gr.OAuthProfile | None, *values: Any) -> Updates:
        """The first page, and what can be chosen from."""
        shown = searched(typed, request, profile, *values)
        return shown if after not in shown else {**shown, **_chosen_from(filters, studio)}

    fast: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    outputs = [found, older, after]
    for event in (demo.load, password.submit):
        event(opened, [password, *filters.blocks], [*outputs, *filters.blocks], **fast)
    for event in (filters.words.submit, filters.since.submit, filters.until.submit):
        event(searched, [password, *filters.blocks], outputs, **fast)
    for choice in filters.blocks[1:-2]:
        choice.input(searched, [password, *filters.blocks], outputs, **fast)  # type: ignore[attr-defined]
    older.click(next_page, [password, after, *filters.blocks], outputs, **fast)


def _filters() -> Filters:
    def dropdown(label: str, *options: tuple[str, Any]) -> gr.Dropdown:
        return gr.Dropdown([_ANY, *options], value=_ANY[1], label=label, min_width=120)

    with gr.Column(elem_id="browse-filters"):
        text = gr.Textbox(
            label="Words", placeholder="in question, answer, correction or comment", max_length=200
        )
        with gr.Row():
            task = dropdown("Task", *((task.label, name) for name, task in TASKS.items()))
            kind, model, quantization = dropdown("Kind"), dropdown("Model"), dropdown("Quantisation")
            thumb = dropdown("Thumb", ("good", 1), ("neither", 0), ("bad", -1))
            score = dropdown("Score", *((str(score), score) for score in range(1, 6)))
            since = gr.Textbox(label="From day", placeholder="2026-01-31", max_length=10, min_width=120)
            until = gr.Textbox(label="To day", placeholder="2026-01-31", max_length=10, min_width=120)
    return Filters(text, task, kind, model, quantization, thumb, score, since, until)


def _chosen_from(filters: Filters, studio: Studio) -> Updates:
    known = choices(studio.feedback.database)
    return {
        filters.kind: gr.Dropdown([_ANY, *((kind, kind) for kind in known.kinds)]),
        filters.model: gr.Dropdown([_ANY, *((model[:8], model) for model in known.models)]),
        filters.quantization: gr.Dropdown([_ANY, *((name, name) for name in known.quantizations)]),
    }
