"""What the Teach page does; each for admins alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from storage import StorageError
from storage.analysis.win_rate import WinRate
from ui.components import messages
from ui.pages.teach import render
from ui.pages.teach.blind_card import blind_card
from ui.pages.teach.result_card import result_card
from ui.studio.jobs import JobResult, run_job
from usam.errors import RequestError, UsamError
from usam.progress import ProgressCallback

if TYPE_CHECKING:
    from ui.access.admin import AdminGate
    from ui.studio.service import Studio

Updates = dict[Any, Any]
Profile = gr.OAuthProfile


@dataclass(frozen=True)
class Blocks:
    """What the handlers fill and change. looking: ticks while a run is under way; watching: while answers are
    written for a blind trial."""

    password: gr.Textbox
    count: gr.Button
    counted: gr.HTML
    start: gr.Button
    stop: gr.Button
    run: gr.HTML
    looking: gr.Timer
    history: gr.HTML
    choice: gr.Dropdown
    card: gr.HTML
    blind_start: gr.Button
    blind_end: gr.Button
    blind: gr.HTML
    watching: gr.Timer
    anyway: gr.Checkbox
    promote: gr.Button
    roll_back: gr.Button
    changed: gr.HTML


class TeachHandlers:
    def __init__(self, studio: Studio, gate: AdminGate, blocks: Blocks) -> None:
        self.studio = studio
        self.gate = gate
        self.blocks = blocks

    def teach_opened(self, typed: str, request: gr.Request, profile: Profile | None = None) -> Updates:
        """The run that is under way or was last, and the checkpoints."""
        try:
            self.gate.require(typed, request, profile)
        except RequestError as refusal:
            return {self.blocks.run: messages.refusal_html(refusal)}
        return {**self._run(), **self._history()}

    def teach_looked(self, typed: str, request: gr.Request, profile: Profile | None = None) -> Updates:
        """How far the run is; once it has ended, the checkpoints as well."""
        try:
            self.gate.require(typed, request, profile)
        except RequestError as refusal:
            return {
                self.blocks.run: messages.refusal_html(refusal),
                self.blocks.looking: gr.Timer(active=False),
            }
        return self._run() if self.studio.teaching.state.running else {**self._run(), **self._history()}

    def teach_counted(self, typed: str, request: gr.Request, profile: Profile | None = None) -> Iterator[str]:
        """Counts of what there is to learn from."""
        try:
            self.gate.require(typed, request, profile)
            yield messages.status("Counting…")
            yield render.learnable(self.studio.teaching.count())
        except UsamError as refusal:
            yield messages.refusal_html(refusal)

    def teach_started(self, typed: str, request: gr.Request, profile: Profile | None = None) -> Updates:
        try:
            self.gate.require(typed, request, profile)
            if reason := self.studio.promotion.unavailable():
                raise RequestError(reason)
            self.studio.teaching.start()
        except UsamError as refusal:
            return {self.blocks.run: messages.refusal_html(refusal)}
        return self._run()

    def teach_stopped(self, typed: str, request: gr.Request, profile: Profile | None = None) -> Updates:
        try:
            self.gate.require(typed, request, profile)
        except RequestError as refusal:
            return {self.blocks.run: messages.refusal_html(refusal)}
        self.studio.teaching.stop()
        self.studio.teaching.join()
        return self._run()

    def teach_chosen(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        """What came of tuning the checkpoint that is chosen."""
        try:
            self.gate.require(typed, request, profile)
        except RequestError as refusal:
            return {self.blocks.card: messages.refusal_html(refusal)}
        return self._chosen(name)

    def blind_started(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        """Let people compare the checkpoint that is chosen with its parent."""

        def start() -> None:
            if reason := self.studio.promotion.unavailable():
                raise RequestError(reason)
            self.studio.blind_trials.start(name or "")

        return self._blind_changed(start, typed, name, request, profile)

    def blind_ended(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        return self._blind_changed(
            lambda: self.studio.blind_trials.end(name or ""), typed, name, request, profile
        )

    def blind_watched(
        self, typed: str, name: str | None, request: gr.Request, profile: Profile | None = None
    ) -> Updates:
        """How far the answers of a blind trial are written."""
        return self._blind_changed(lambda: None, typed, name, request, profile)

    def _blind_changed(
        self, change: Callable[[], None], typed: str, name: str | None, request: gr.Request, profile: Any
    ) -> Updates:
        try:
            self.gate.require(typed, request, profile)
            change()
        except UsamError as refusal:
            return {
                self.blocks.blind: messages.refusal_html(refusal),
                self.blocks.watching: gr.Timer(active=False),
            }
        return self._blind(name)

    def promoted(
        self,
        typed: str,
        name: str | None,
        anyway: bool,
        request: gr.Request,
        profile: Profile | None = None,
    ) -> Iterator[Updates]:
        def promote(progress: ProgressCallback) -> str:
            self.gate.require(typed, request, profile)
            self.studio.promotion.promote(name or "", progress, refused=anyway)
            return name or ""

        yield from self._changed(promote)

    def rolled_back(
        self, typed: str, request: gr.Request, profile: Profile | None = None
    ) -> Iterator[Updates]:
        def roll_back(progress: ProgressCallback) -> str:
            self.gate.require(typed, request, profile)
            return self.studio.promotion.roll_back(progress)

        yield from self._changed(roll_back)

    def _changed(self, change: Callable[[ProgressCallback], str]) -> Iterator[Updates]:
        """Progress while another checkpoint is loaded, then that it answers. A page that is closed meanwhile
        cancels it before anything has changed."""
        try:
            for event in run_job(change, threading.Event()):
                if isinstance(event, JobResult):
                    answers = messages.saved(f"{event.result} answers new questions.")
                    yield {self.blocks.changed: answers, **self._history()}
                else:
                    yield {self.blocks.changed: messages.working(event.message, event.share)}
        except UsamError as refusal:
            yield {self.blocks.changed: messages.refusal_html(refusal)}

    def _run(self) -> Updates:
        state = self.studio.teaching.state
        return {
            self.blocks.run: render.run(state),
            self.blocks.looking: gr.Timer(active=state.running),
            self.blocks.start: gr.Button(interactive=not state.running),
            self.blocks.stop: gr.Button(interactive=state.running),
        }

    def _chosen(self, name: str | None) -> Updates:
        """The card of a checkpoint, and its blind trial."""
        chosen = self.studio.tuned.get(name or "")
        return {self.blocks.card: result_card(chosen) if chosen else "", **self._blind(name)}

    def _blind(self, name: str | None) -> Updates:
        trials, chosen = self.studio.blind_trials, self.studio.tuned.get(name or "")
        state = trials.state
        trial = trials.trial(chosen) if chosen else None
        try:
            rate = trials.win_rate(trial) if trial else WinRate()
        except StorageError as error:
            shown = messages.fault(str(error))
        else:
            shown = blind_card(name or "", state, trial, rate)
        return {
            self.blocks.blind: shown,
            self.blocks.watching: gr.Timer(active=state.running),
            self.blocks.blind_start: gr.Button(interactive=chosen is not None and not state.running),
            self.blocks.blind_end: gr.Button(interactive=trial is not None and trial.open),
        }

    def _history(self) -> Updates:
        tuned, promotion = self.studio.tuned, self.studio.promotion
        try:
            promoted = tuned.promoted()
        except UsamError as error:
            return {self.blocks.history: messages.fault(str(error))}
        known = tuned.all()
        serving = promoted[-1] if promoted else tuned.preset
        names = [one.name for one in known]
        return {
            self.blocks.history: render.history(
                known, serving, promotion.names(), tuned.preset, promotion.unavailable()
            ),
            self.blocks.choice: gr.Dropdown(names, value=next(iter(names), None)),
            **self._chosen(next(iter(names), None)),
            self.blocks.roll_back: gr.Button(interactive=bool(promoted)),
        }
