"""The section "What if" under the viewer: what can be changed, tested and run again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.engines.pool import PRECISIONS
from ui.studio.session import SessionAnswer
from ui.what_if.findings import Findings
from ui.what_if.outcomes import name_of
from usam.errors import RequestError
from usam.schema.interventions import (
    DropRandom,
    DropRedundant,
    DropSpan,
    ForceExpert,
    Intervention,
    KeepRedundant,
    Uniform,
)

Updates = dict[Any, Any]

SPAN = "drop-span"
LONGEST_REFERENCE = 500

_HEAD = (
    '<h2>What if</h2><p class="hint">Change what the language model hears of this clip, and see what becomes '
    "of its answer. The threshold and the span are those of the picture above.</p>"
)
_DELETION = (
    '<p class="hint">Scores an answer with all tokens, without the redundant ones, without as many random '
    "ones, and with the redundant ones alone. If redundancy holds up, dropping those costs less than "
    "chance.</p>"
)
_LEANING = (
    '<p class="hint">By occlusion: each window of the clip is dropped in turn, and what a word loses is what '
    "it leaned on there. Windows that say the same stand in for each other and then score nothing; some "
    "tenths of a nat may be rounding. It shows what this model leaned on, not what is true of the sound.</p>"
)
_REPLAY = (
    '<p class="hint">Asks the same again, with the seed and temperature of the answer on display, and '
    "compares answer and routing, on the checkpoint and precision it was given by. Where that checkpoint is "
    "gone, it says so.</p>"
)
_OTHER = (
    '<p class="hint">Asks the same of another precision or checkpoint and holds both answers against each '
    "other in the picture. The other model is loaded beside the running one, which takes some seconds and "
    "about as much memory again, and is let go when it has answered.</p>"
)


@dataclass(frozen=True, eq=False)
class Touched:
    """What was set in the viewer: the span (s of the clip) that was dragged or is locked, the threshold."""

    span: tuple[float, float] | None = None
    threshold: float | None = None

    @classmethod
    def of(cls, span: Any, threshold: Any) -> Touched:
        """From the browser, so nothing is taken for granted: what is no number counts as not set."""
        edges = [_number(edge) for edge in span] if isinstance(span, list) and len(span) == 2 else []
        start, end = edges if len(edges) == 2 else (None, None)
        there = start is not None and end is not None and start < end
        return cls((start, end) if there else None, _number(threshold))  # type: ignore[arg-type]


def _number(value: Any) -> float | None:
    right = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if right else None


@dataclass(frozen=True)
class WhatIfPanel:
    """touched: `Touched`. found: `Findings` about the answer on display. arrived: the answer of another model
    that is to join the session."""

    box: gr.Column
    change: gr.Radio
    run: gr.Button
    outcomes: gr.HTML
    reference: gr.Textbox
    test: gr.Button
    tested: gr.HTML
    lean: gr.Button
    leaning: gr.HTML
    replay: gr.Button
    replayed: gr.HTML
    checkpoint: gr.Radio
    precision: gr.Radio
    other: gr.Button
    othered: gr.HTML
    progress: gr.Row
    status: gr.HTML
    stop: gr.Button
    touched: gr.State
    found: gr.State
    arrived: gr.State

    @property
    def starts(self) -> list[gr.Button]:
        return [self.run, self.test, self.lean, self.replay, self.other]

    @property
    def results(self) -> list[gr.blocks.Block]:
        return [self.outcomes, self.tested, self.leaning, self.replayed, self.othered, self.found]


def what_if_panel(checkpoints: Sequence[str], quantization: str) -> WhatIfPanel:
    """checkpoints: those that can be asked, the app's own first. quantization: the app's own precision."""
    with gr.Column(visible=False, elem_id="what-if") as box:
        gr.HTML(_HEAD)
        with gr.Tabs():
            with gr.Tab("Change", elem_id="tab-change"):
                change = gr.Radio(
                    [], label="Change", show_label=False, elem_id="change", elem_classes="chips"
                )
                run = gr.Button("Answer again", variant="primary", min_width=140, elem_id="again")
                outcomes = gr.HTML("", elem_id="outcomes")
            with gr.Tab("Deletion test", elem_id="tab-deletion"):
                gr.HTML(_DELETION)
                reference = gr.Textbox(
                    label="Answer to score",
                    placeholder="The model's own, unless you type another",
                    max_length=LONGEST_REFERENCE,
                    elem_id="reference",
                )
                test = gr.Button("Run the test", variant="primary", min_width=140, elem_id="deletion")
                tested = gr.HTML("", elem_id="tested")
            with gr.Tab("Words", elem_id="tab-words"):
                gr.HTML(_LEANING)
                lean = gr.Button("Find what each word leaned on", variant="primary", elem_id="lean")
                leaning = gr.HTML("", elem_id="leaning")
            with gr.Tab("Replay", elem_id="tab-replay"):
                gr.HTML(_REPLAY)
                replay = gr.Button("Run it again", variant="primary", min_width=140, elem_id="replay")
                replayed = gr.HTML("", elem_id="replayed")
            with gr.Tab("Other model", elem_id="tab-other"):
                gr.HTML(_OTHER)
                checkpoint = gr.Radio(
                    list(checkpoints),
                    value=checkpoints[0],
                    label="Checkpoint",
                    elem_id="other-checkpoint",
                    elem_classes="chips",
                    visible=len(checkpoints) > 1,
                )
                precision = gr.Radio(
                    [(words, name) for name, words in PRECISIONS.items()],
                    value=next(name for name in PRECISIONS if name != quantization),
                    label="Precision of the language model",
                    elem_id="other-precision",
                    elem_classes="chips",
                )
                other = gr.Button("Ask it the same", variant="primary", min_width=140, elem_id="other")
                othered = gr.HTML("", elem_id="othered")
        with gr.Row(visible=False, elem_id="study") as progress:
            status = gr.HTML("", elem_id="study-status")
            stop = gr.Button("Stop", variant="stop", size="sm", min_width=90, scale=0, elem_id="study-stop")
    return WhatIfPanel(
        box=box,
        change=change,
        run=run,
        outcomes=outcomes,
        reference=reference,
        test=test,
        tested=tested,
        lean=lean,
        leaning=leaning,
        replay=replay,
        replayed=replayed,
        checkpoint=checkpoint,
        precision=precision,
        other=other,
        othered=othered,
        progress=progress,
        status=status,
        stop=stop,
        touched=gr.State(Touched()),
        found=gr.State(Findings()),
        arrived=gr.State(None),
    )


def what_if_hidden(panel: WhatIfPanel) -> Updates:
    return {panel.box: gr.Column(visible=False)}


def what_if_shown(panel: WhatIfPanel, entry: SessionAnswer | None) -> Updates:
    """Nothing tried yet on this answer."""
    if entry is None:
        return what_if_hidden(panel)
    choices = changes(entry.answer.trace.experts, None)
    return {
        panel.box: gr.Column(visible=True),
        panel.change: gr.Radio(choices=choices, value=choices[0][1]),
        panel.touched: Touched(),
        panel.found: Findings(),
        **{block: "" for block in panel.results if isinstance(block, gr.HTML)},
        panel.reference: "",
    }


def changes(experts: Sequence[str], span: tuple[float, float] | None) -> list[tuple[str, str]]:
    """The interventions to choose from: their names, and the values `intervention_of` understands."""
    forced = [
        (name_of(ForceExpert(index), experts), f"force-expert {index}") for index in range(len(experts))
    ]
    others = [Uniform(), DropRedundant(), KeepRedundant(), DropRandom()]
    painted = name_of(DropSpan(*span), experts) if span else "without a painted span"
    return [*forced, *((name_of(change, experts), change.kind) for change in others), (painted, SPAN)]


def intervention_of(choice: str | None, span: tuple[float, float] | None, draw: int = 0) -> Intervention:
    """The intervention a person chose; `draw` is the seed of a random one. Raises RequestError."""
    kind, _, index = (choice or "").partition(" ")
    if kind == "force-expert" and index.isdecimal():
        return ForceExpert(int(index))
    if kind == SPAN:
        if span is None:
            raise RequestError("Drag over the picture to paint the span to drop, or click a token.")
        return DropSpan(*span)
    plain = {
        change.kind: change for change in (Uniform(), DropRedundant(), KeepRedundant(), DropRandom(draw))
    }
    if kind not in plain:
        raise RequestError("Choose what to change first.")
    return plain[kind]


def touched_shown(panel: WhatIfPanel, entry: SessionAnswer | None, touched: Touched) -> Updates:
    """The span has changed: name it in its choice."""
    if entry is None:
        return {panel.touched: touched}
    choices = changes(entry.answer.trace.experts, touched.span)
    return {panel.touched: touched, panel.change: gr.Radio(choices=choices)}
