"""Compare two answers: both new, to the clip and question on display, blind, on random sides, identified only
after the vote."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from storage import StorageError
from storage.ratings.comparisons import Winner
from ui.access.request import page_of, visitor_of
from ui.components import messages, side_by_side
from ui.components.save_limit import save_limited
from ui.components.side_by_side import VOTES, vote_buttons
from ui.components.turns import take_turn
from ui.inspector.payload import encoded_sound
from ui.pages.ask import render
from ui.pages.ask.history import HistoryPanel, history_shown
from ui.pages.ask.question import QuestionPanel, busy
from ui.studio.service import AskRequest, retry_of
from ui.studio.session import Session, SessionAnswer
from ui.studio.stored_answers import same_clip
from usam.errors import UsamError
from usam.schema.answer import Answer

if TYPE_CHECKING:
    from ui.studio.service import Studio

Updates = dict[Any, Any]

WARM_TEMPERATURE = 1.2
CONTESTS = {
    "unseen": "Two seeds",
    "warm": f"A usual and a bolder one (temperature {WARM_TEMPERATURE:g})",
}
"""None of them has an answer that was on the page before: who knows one of two does not compare blind."""
TRIES = 3
"""Seeds that are tried for each answer until it is one that was not seen."""
SAME = (
    "The model writes what is known already, word for word. Choose the bolder one, or ask a question with "
    "more than one good answer."
)
SILENT = "The audio of this answer was not kept, so no other answer can be written to compare it with."
STALE = (
    "The answer on display is about another clip than the one in the player. Ask about that one first, or "
    "put the other one back."
)


@dataclass(frozen=True, eq=False)
class BlindPair:
    """The pair on display, a on the left. past_seeds: one more than the highest seed that was tried."""

    pair: tuple[SessionAnswer, ...] = ()
    past_seeds: int = 0


@dataclass(frozen=True)
class ComparisonPanel:
    box: gr.Column
    contest: gr.Radio
    start: gr.Button
    sides: gr.HTML
    ballot: gr.Row
    status: gr.HTML
    blind_pair: gr.State
    votes: dict[Winner, gr.Button] = field(default_factory=dict)


def comparison_panel() -> ComparisonPanel:
    with gr.Column(visible=False, elem_id="comparison") as box:
        gr.HTML(
            "<h2>Compare two answers</h2><p class='hint'>Two new answers to the same question about the same "
            "clip. Which is which is shown after the vote.</p>"
        )
        with gr.Row(elem_id="contest-row"):
            contest = gr.Radio(
                [(words, name) for name, words in CONTESTS.items()],
                value="unseen",
                label="Compare",
                elem_id="contest",
                elem_classes="chips",
            )
            start = gr.Button(
                "Write them", variant="primary", min_width=130, scale=0, elem_id="contest-start"
            )
        sides = gr.HTML("", elem_id="sides")
        with gr.Row(visible=False, elem_id="ballot") as ballot:
            votes = vote_buttons("vote")
        status = gr.HTML("", elem_id="comparison-status")
    return ComparisonPanel(box, contest, start, sides, ballot, status, gr.State(BlindPair()), votes)


def comparison_ready(panel: ComparisonPanel, session: Session) -> Updates:
    """Nothing compared yet: what another answer on display, or none, leaves of the panel."""
    entry = session.current
    return {
        panel.box: gr.update(visible=entry is not None),
        panel.start: gr.Button("Write them", interactive=entry is not None and entry.audio is not None),
        panel.sides: "",
        panel.ballot: gr.update(visible=False),
        panel.status: "",
        panel.blind_pair: BlindPair(),
    }


def contestants(contest: str, session: Session, blind_pair: BlindPair, keep_audio: bool) -> list[AskRequest]:
    """The two answers to write for a contest, each with a seed that no answer of the session has."""
    entry = session.current
    if entry is None:
        return []
    seed = max(session.unused_seed, blind_pair.past_seeds)
    usual, other = (retry_of(entry, seed + i, keep_audio) for i in range(2))
    return [usual, replace(other, temperature=WARM_TEMPERATURE) if contest == "warm" else other]


def texts_seen(session: Session) -> set[str]:
    """What the page has shown as answers to the question on display about its clip."""
    shown = session.current
    if shown is None:
        return set()
    asked = shown.answer.question, shown.answer.history, shown.answer.heard.sha256
    return {
        entry.answer.text.strip()
        for entry in session.entries
        if (entry.answer.question, entry.answer.history, entry.answer.heard.sha256) == asked
    }


def sides(blind_pair: BlindPair, winner: Winner | None = None) -> str:
    """The clip, the question and both answers side by side; with the vote, also what made each of them."""
    first, answers = blind_pair.pair[0], [entry.answer for entry in blind_pair.pair]
    sound = first.audio.derived(encoded_sound) if first.audio else None
    made = [_made(answer) if winner is not None else "" for answer in answers]
    return side_by_side.asked(first.answer, sound["opus"] if sound else None) + side_by_side.sides(
        answers, winner, made
    )


def _made(answer: Answer) -> str:
    return (
        f'<p class="made">Seed <b>{answer.seed}</b>, <b>{render.decoding(answer)}</b>, '
        f"quantisation {escape(answer.model.quantization)}</p>"
    )


class ComparisonHandlers:
    """The handlers of the panel."""

    def __init__(
        self,
        panel: ComparisonPanel,
        question: QuestionPanel,
        history: HistoryPanel,
        session: gr.State,
        studio: Studio,
    ) -> None:
        """question: makes way for Stop meanwhile.  history: lists the new answers after the vote."""
        self.panel = panel
        self.question = question
        self.history = history
        self.session = session
        self.studio = studio

    def reserve(self, request: gr.Request) -> Updates:
        """Stop in the question panel ends it."""
        take_turn(self.studio, page_of(request), visitor_of(request))
        return {
            **busy(self.question, True),
            self.panel.start: gr.Button("Writing…", interactive=False),
            self.panel.sides: "",
            self.panel.ballot: gr.update(visible=False),
            self.panel.status: messages.status("Waiting for the model…"),
        }

    def release(self, request: gr.Request) -> Updates:
        self.studio.running.end(page_of(request))
        return {
            **busy(self.question, False),
            self.panel.start: gr.Button("Write another pair", interactive=True),
        }

    def write(
        self,
        contest: str,
        source: str | None,
        keep: bool,
        session: Session,
        blind_pair: BlindPair,
        annotator: str,
        request: gr.Request,
    ) -> Iterator[Updates]:
        """Write the missing answers, without showing them, then show the pair."""
        stop = self.studio.running.stop_event(page_of(request))
        questions = contestants(contest, session, blind_pair, keep)
        if session.current and session.current.answer_id is None:
            sentence = session.current.storage_error or "This answer is not stored."
            yield {self.panel.status: messages.fault(sentence)}
            return
        if session.current and session.current.clip is None:
            yield {self.panel.status: messages.fault(SILENT)}
            return
        if session.current and source and not same_clip(session.current, source, self.studio.clips):
            yield {self.panel.status: messages.fault(STALE)}
            return
        if not questions:
            return
        seen, pair, seed = texts_seen(session), list[SessionAnswer](), questions[0].seed
        for number, question in enumerate(questions, start=1):
            line = f"Writing answer {number} of {len(questions)}, unseen…"
            yield {self.panel.status: messages.status(line)}
            for _ in range(TRIES):
                wanted = replace(question, seed=seed, visitor=visitor_of(request))
                try:
                    entry = self._written(wanted, annotator, stop)
                except (UsamError, StorageError) as error:
                    yield {self.panel.status: messages.fault(str(error))}
                    return
                if entry is None:
                    yield {self.panel.status: messages.status("Stopped. Nothing to compare.")}
                    return
                seed += 1
                if entry.answer.text.strip() not in seen:
                    break
            else:
                yield {
                    self.panel.status: messages.status(SAME),
                    self.panel.blind_pair: BlindPair(past_seeds=seed),
                }
                return
            seen.add(entry.answer.text.strip())
            pair.append(entry)
        random.shuffle(pair)
        blind_pair = BlindPair(tuple(pair), past_seeds=seed)
        yield {
            self.panel.blind_pair: blind_pair,
            self.panel.sides: sides(blind_pair),
            self.panel.ballot: gr.update(visible=True),
            self.panel.status: "",
        }

    def _written(self, question: AskRequest, annotator: str, stop: threading.Event) -> SessionAnswer | None:
        """One stored answer; None when the visitor stopped it. Raises UsamError, StorageError."""
        turn = threading.Event()  # its own: the studio sets the event it is given when an answer ends
        entry = None
        for event in self.studio.ask(question, annotator, turn):
            if stop.is_set():
                turn.set()
            elif isinstance(event, SessionAnswer):
                entry = event
        if entry and entry.storage_error:
            raise StorageError(entry.storage_error)
        return entry

    def vote(self, winner: Winner, session: Session, blind_pair: BlindPair, annotator: str) -> Updates:
        """Save the vote, then say which was which; the new answers join the session's list."""
        if not blind_pair.pair:
            return {self.panel.status: messages.fault(messages.LOST)}
        left, right = blind_pair.pair
        try:
            self.studio.feedback.compare(
                cast(str, left.answer_id), cast(str, right.answer_id), annotator, winner
            )
        except StorageError as error:
            return {self.panel.status: messages.fault(str(error))}
        for entry in blind_pair.pair:
            session = session if session.entry(entry.key) else session.keep(entry)
        return {
            self.session: session,
            self.panel.sides: sides(blind_pair, winner),
            self.panel.ballot: gr.update(visible=False),
            self.panel.status: messages.saved(f"Saved: {VOTES[winner]}"),
            **history_shown(self.history, session),
        }


def connect_comparison(
    handlers: ComparisonHandlers,
    source: gr.Audio,
    keep_audio: gr.Checkbox,
    annotator: gr.BrowserState,
    fast: dict[str, Any],
    reserving: dict[str, Any],
    model: dict[str, Any],
) -> None:
    """fast, reserving, model: how events are attached that wait in no queue, that may be refused their place
    in the model's, and that wait in it."""
    panel, question, session = handlers.panel, handlers.question, handlers.session
    changed = [question.ask, question.stop, panel.start, panel.sides, panel.ballot, panel.status]
    turn = panel.start.click(handlers.reserve, None, **{**reserving, "outputs": changed})
    written = [panel.contest, source, keep_audio, session, panel.blind_pair, annotator]
    turn.success(handlers.write, written, **model).then(handlers.release, None, **fast)

    def refused(sentence: str) -> Updates:
        return {panel.status: messages.fault(sentence)}

    for winner, button in panel.votes.items():
        voted = save_limited(handlers.studio, partial(handlers.vote, winner), refused)
        button.click(voted, [session, panel.blind_pair, annotator], **fast)
