"""Two answers, of a tuned checkpoint and the one before, compared blind. Which is which is not told after the
vote either: the next pair is of the same two."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import StorageError
from storage.annotation.blind_pairs import BlindPair
from storage.ratings.comparisons import Winner
from ui.access.request import page_of
from ui.components import messages, side_by_side
from ui.components.save_limit import save_limited
from ui.components.side_by_side import VOTES, vote_buttons
from ui.inspector.payload import encoded_sound
from ui.studio.stored_answers import load_stored_answer
from usam.errors import UsamError

if TYPE_CHECKING:
    from ui.studio.service import Studio

Updates = dict[Any, Any]


@dataclass(frozen=True)
class BlindSession:
    """The pair on display, the ids of its answers from left to right, the pairs that were skipped, and what
    names the page."""

    pair: BlindPair | None = None
    sides: tuple[str, str] = ("", "")
    skipped: tuple[BlindPair, ...] = ()
    page: str = ""


@dataclass(frozen=True)
class BlindPanel:
    box: gr.Column
    sides: gr.HTML
    skip: gr.Button
    status: gr.HTML
    session: gr.State
    votes: dict[Winner, gr.Button] = field(default_factory=dict)

    @property
    def outputs(self) -> list[Any]:
        return [self.box, self.sides, self.status, self.session]


def blind_panel() -> BlindPanel:
    """Hidden until there is a pair to compare."""
    with gr.Column(visible=False, elem_id="blind") as box:
        gr.HTML(
            "<h3>Which answer is better?</h3><p class='hint'>Two checkpoints answered the same question "
            "about the same clip. Which is which is not shown.</p>"
        )
        sides = gr.HTML("", elem_id="blind-sides")
        with gr.Row(elem_id="blind-ballot"):
            votes = vote_buttons("blind")
            skip = gr.Button("Skip", min_width=60, elem_id="blind-skip")
    status = gr.HTML("", elem_id="blind-status")
    return BlindPanel(box, sides, skip, status, gr.State(BlindSession()), votes)


class BlindHandlers:
    """The handlers of the panel."""

    def __init__(self, panel: BlindPanel, studio: Studio) -> None:
        self.panel = panel
        self.studio = studio

    def blind_opened(self, annotator: str, request: gr.Request) -> Updates:
        return self._next(BlindSession(page=page_of(request)), annotator, "")

    def blind_skipped(self, session: BlindSession, annotator: str) -> Updates:
        skipped = (*session.skipped, session.pair) if session.pair else session.skipped
        return self._next(replace(session, skipped=skipped), annotator, "")

    def blind_voted(self, winner: Winner, session: BlindSession, annotator: str) -> Updates:
        """Save the vote, then show the next pair."""
        if session.pair is None:
            return {self.panel.status: messages.fault(messages.LOST)}
        try:
            self.studio.feedback.compare(*session.sides, annotator, winner)
        except StorageError as error:
            return {self.panel.status: messages.fault(str(error))}
        return self._next(session, annotator, messages.saved(f"Saved: {VOTES[winner]}"))

    def _next(self, session: BlindSession, annotator: str, status: str) -> Updates:
        studio, panel = self.studio, self.panel
        try:
            pair = studio.blind_trials.upcoming(annotator, session.skipped, session.page)
            if pair is None:
                gone = replace(session, pair=None)
                return {panel.box: gr.update(visible=False), panel.status: status, panel.session: gone}
            left, right = random.sample((pair.old, pair.new), 2)
            heard = load_stored_answer(studio.feedback, pair.source, studio.clips)
            answers = [load_stored_answer(studio.feedback, id_, studio.clips) for id_ in (left, right)]
        except (StorageError, UsamError) as error:
            return {panel.status: messages.fault(str(error))}
        sound = heard.audio.derived(encoded_sound) if heard.audio else None
        asked = side_by_side.asked(answers[0].answer, sound["opus"] if sound else None)
        return {
            panel.box: gr.update(visible=True),
            panel.sides: asked + side_by_side.sides(entry.answer for entry in answers),
            panel.status: status,
            panel.session: replace(session, pair=pair, sides=(left, right)),
        }


def connect_blind(
    handlers: BlindHandlers, studio: Studio, opened: Any, annotator: gr.BrowserState, fast: dict[str, Any]
) -> None:
    """opened: the event after which the person is known. fast: how events are attached that wait in no
    queue."""
    panel = handlers.panel
    given = {**fast, "outputs": panel.outputs}

    def limited(handler: Callable[..., Updates]) -> Callable[..., Updates]:
        return save_limited(studio, handler, lambda why: {panel.status: messages.fault(why)})

    opened.then(handlers.blind_opened, annotator, **given)
    for winner, button in panel.votes.items():
        voted = limited(partial(handlers.blind_voted, winner))
        button.click(voted, [panel.session, annotator], **given)
    panel.skip.click(handlers.blind_skipped, [panel.session, annotator], **given)
