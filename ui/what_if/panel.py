"""The section "What if" under the viewer: what can be changed, tested and run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.engines.pool import PRECISIONS
from ui.inspector.experts import expert_names
from ui.inspector.payload import MeasuredOf, nothing_measured
from ui.studio.session import SessionAnswer
from ui.what_if.choices import changes
from ui.what_if.findings import Findings
from ui.what_if.selection import ViewerSelection
from usam.interpretability.deletion import LONGEST_REFERENCE

Updates = dict[Any, Any]

_HEAD = (
    '<h2>What if</h2><p class="hint">Change what the language model hears of this clip, and see how its '
    "answer changes. The threshold and the span are those of the picture above.</p>"
)
_DELETION = (
    '<p class="hint">Scores an answer with all tokens, without the redundant ones, without as many random '
    "ones, and with the redundant ones alone. If the redundant tokens really are redundant, dropping "
    "them costs less than dropping random ones.</p>"
)
_ATTRIBUTION = (
    '<p class="hint">By occlusion: each window of the clip is left out in turn, and a word is attributed to '
    "the windows without which it becomes less likely. Windows with the same content replace each other, so "
    "that none of them scores; some tenths of a nat may be rounding. It shows what this model relied on, not "
    "what is true of the sound.</p>"
)
_REPLAY = (
    '<p class="hint">Asks the same again, with the seed and temperature of the answer on display, and '
    "compares answer and routing, on the checkpoint and precision that gave it. If that checkpoint is "
    "gone, it says so.</p>"
)
_OTHER = (
    '<p class="hint">Asks the same of another precision or checkpoint and compares both answers in the '
    "picture. The other model is loaded beside the running one, which takes some seconds and "
    "about as much memory again, and is unloaded when it has answered.</p>"
)


@dataclass(frozen=True)
class WhatIfPanel:
    """selection: `ViewerSelection`. findings: `Findings` about the answer on display. new_answer: of another
    model, which is to join the session."""

    box: gr.Column
    change: gr.Radio
    run: gr.Button
    outcomes: gr.HTML
    reference: gr.Textbox
    test: gr.Button
    deletion_result: gr.HTML
    attribute: gr.Button
    attribution_status: gr.HTML
    replay: gr.Button
    replay_result: gr.HTML
    checkpoint: gr.Radio
    precision: gr.Radio
    other: gr.Button
    other_result: gr.HTML
    progress: gr.Row
    status: gr.HTML
    stop: gr.Button
    selection: gr.State
    findings: gr.State
    new_answer: gr.State

    @property
    def starts(self) -> list[gr.Button]:
        return [self.run, self.test, self.attribute, self.replay, self.other]

    @property
    def results(self) -> list[gr.blocks.Block]:
        return [
            self.outcomes,
            self.deletion_result,
            self.attribution_status,
            self.replay_result,
            self.other_result,
            self.findings,
        ]


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
                deletion_result = gr.HTML("", elem_id="tested")
            with gr.Tab("Words", elem_id="tab-words"):
                gr.HTML(_ATTRIBUTION)
                attribute = gr.Button("Attribute each word", variant="primary", elem_id="lean")
                attribution_status = gr.HTML("", elem_id="leaning")
            with gr.Tab("Replay", elem_id="tab-replay"):
                gr.HTML(_REPLAY)
                replay = gr.Button("Run it again", variant="primary", min_width=140, elem_id="replay")
                replay_result = gr.HTML("", elem_id="replayed")
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
                other_result = gr.HTML("", elem_id="othered")
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
        deletion_result=deletion_result,
        attribute=attribute,
        attribution_status=attribution_status,
        replay=replay,
        replay_result=replay_result,
        checkpoint=checkpoint,
        precision=precision,
        other=other,
        other_result=other_result,
        progress=progress,
        status=status,
        stop=stop,
        selection=gr.State(ViewerSelection()),
        findings=gr.State(Findings()),
        new_answer=gr.State(None),
    )


def what_if_hidden(panel: WhatIfPanel) -> Updates:
    return {panel.box: gr.update(visible=False)}


def what_if_shown(
    panel: WhatIfPanel, entry: SessionAnswer | None, measured_of: MeasuredOf = nothing_measured
) -> Updates:
    """No experiment has been run on this answer yet. measured_of: as in `ui.inspector.payload.payload`."""
    if entry is None:
        return what_if_hidden(panel)
    choices = _choices(entry, None, measured_of)
    return {
        panel.box: gr.update(visible=True),
        panel.change: gr.Radio(choices=choices, value=choices[0][1]),
        panel.selection: ViewerSelection(),
        panel.findings: Findings(),
        **{block: "" for block in panel.results if isinstance(block, gr.HTML)},
        panel.reference: "",
        **{start: gr.Button(interactive=entry.audio is not None) for start in panel.starts},
    }


def _choices(
    entry: SessionAnswer, span: tuple[float, float] | None, measured_of: MeasuredOf
) -> list[tuple[str, str]]:
    trace = entry.answer.trace
    return changes(trace, span, expert_names(trace, measured_of(entry.answer.model)))


def selection_shown(
    panel: WhatIfPanel, entry: SessionAnswer | None, selection: ViewerSelection, measured_of: MeasuredOf
) -> Updates:
    """The span has changed: name it in its choice."""
    if entry is None:
        return {panel.selection: selection}
    choices = _choices(entry, selection.span, measured_of)
    return {panel.selection: selection, panel.change: gr.Radio(choices=choices)}
