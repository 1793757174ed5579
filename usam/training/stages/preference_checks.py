"""Checks on held-out judgements during tuning: which state is the best, and when to end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.preferences.judgements import PairItem, TuningData
from usam.training.preferences.reference import Scored, in_batches, score_all, scored_before
from usam.training.preferences.retention import likeliest
from usam.training.preferences.settings import Settings
from usam.training.stages.extrapolation import extrapolate, put
from usam.training.stages.preference_losses import pair_losses, reference_totals, replay_divergence
from usam.training.trainer import trainable

CHECK_BATCH = 6
# What may be given up without training: a share of the bound on the divergence, and of the answers that are
# known. Both, for the divergence is of answers to few clips, and seldom of what comes first or last. Where a
# tenth was forgotten, questions with one right answer were lost in such numbers that the result was refused.
UNTRAINED = 0.5
FORGOTTEN = 0.07


@dataclass(frozen=True)
class Check:
    """Figures on held-out pairs after some steps.

    right: pairs of which the preferred answer gained more on the reference than the other. loss: what they
    cost, by `held_losses`. likelier: pairs of which the preferred answer is the likelier one,
    token by token. kl: nats a token from the reference on held-out replay. factor: how far along the way from
    the reference through the weights of that step, 1 for these themselves.
    """

    step: int
    pairs: int
    right: int
    loss: float
    likelier: int
    kl: float
    factor: float = 1.0

    @property
    def accuracy(self) -> float:
        return self.right / max(1, self.pairs)


def before(held: Sequence[PairItem]) -> Check:
    """The figures of the reference itself: it has gained on itself nowhere."""
    if not held:
        return Check(0, 0, 0, 0.0, 0, 0.0)
    scored = scored_before([i.ref_chosen for i in held] + [i.ref_rejected for i in held])
    chosen, rejected = scored.means().chunk(2)
    losses = held_losses(held, scored, beta=1.0)  # of no gain, whatever beta is
    return Check(0, len(held), 0, float(losses.mean()), int((chosen > rejected).sum()), 0.0)


@torch.no_grad()
def check(model: USAM, data: TuningData, beta: float, step: int, execution: Execution = Execution()) -> Check:
    """Measure the model as it is."""
    right = likelier = 0
    losses: list[float] = []
    divergences: list[float] = []
    for run in in_batches(len(data.held_pairs), CHECK_BATCH):
        pairs = [data.held_pairs[index] for index in run]
        scored = score_all(model, [i.chosen for i in pairs] + [i.rejected for i in pairs], execution)
        (chosen, rejected), means = scored.totals().chunk(2), scored.means().chunk(2)
        ref_chosen, ref_rejected = reference_totals(pairs, chosen)
        losses += held_losses(pairs, scored, beta).tolist()
        right += int((chosen - ref_chosen > rejected - ref_rejected).sum())
        likelier += int((means[0] > means[1]).sum())
    for run in in_batches(len(data.held_replay), 2 * CHECK_BATCH):
        items = [data.held_replay[index] for index in run]
        scored = score_all(model, [item.completion for item in items], execution)
        divergences += [float(replay_divergence(scored, i, [item])) for i, item in enumerate(items)]
    return Check(
        step,
        len(data.held_pairs),
        right,
        sum(losses) / max(1, len(losses)),
        likelier,
        sum(divergences) / len(divergences) if divergences else 0.0,
    )


def held_losses(pairs: Sequence[PairItem], scored: Scored, beta: float) -> Tensor:
    """What held-out pairs cost [B]: as in training, but how likely the chosen answer is by itself counts only
    where a person wrote it. Of two answers of the model neither is what is to be said; there that term only
    holds training back."""
    preferred, alone = pair_losses(pairs, scored, beta)
    return preferred + alone.where(alone.new_tensor([item.corrects for item in pairs]).bool(), 0)


class Watch:
    """Checks on held-out pairs now and then: keeps the best states, and knows when to end.

    Its files belong to the trainer's state of the same step: a run that was cut goes on from both.
    """

    def __init__(
        self,
        model: USAM,
        data: TuningData,
        settings: Settings,
        folder: Path,
        report: Callable[[str], None],
        execution: Execution = Execution(),
    ) -> None:
        self.model, self.data, self.settings, self.report = model, data, settings, report
        self.execution = execution
        self.start_loss = before(data.held_pairs).loss
        self.states, self.file = folder / "states", folder / "checks.json"
        self.states.mkdir(parents=True, exist_ok=True)
        self.checks: dict[int, Check] = {}
        self.result: Check | None = None
        """The figures of what `restore` put into the model."""
        self.ended = ""
        if self.file.exists():
            kept = json.loads(self.file.read_text())
            self.checks = {entry["step"]: Check(**entry) for entry in kept["checks"]}
            self.ended = kept["ended"]

    def __call__(self, step: int) -> bool:
        """Check; returns whether to end."""
        self.model.eval()
        now = check(self.model, self.data, self.settings.beta, step, self.execution)
        self.checks = {number: one for number, one in self.checks.items() if number < step} | {step: now}
        self._keep(now)
        best = self.best
        since = sum(number > best.step for number in self.checks) if best else 0
        if now.kl > self.settings.kl_bound:
            self.ended = "far from the reference"
        elif since >= self.settings.patience:
            self.ended = "no better"
        part = self.file.with_suffix(".part")
        checks = [vars(one) for one in self.checks.values()]
        part.write_text(json.dumps({"checks": checks, "ended": self.ended}))
        part.rename(self.file)
        self.report(
            f"step {step}: held-out pairs right {now.right} of {now.pairs}, loss {now.loss:.4f}, "
            f"{now.kl:.4f} nats from before"
        )
        return bool(self.ended)

    def _keep(self, now: Check) -> None:
        """Write the state of this check if it is a candidate, and delete those that no longer are."""
        kept = {self._state(one): one for one in self.candidates}
        if now in kept.values():
            part = self._state(now).with_suffix(".part")
            torch.save(trainable(self.model), part)
            part.rename(self._state(now))
        for file in self.states.iterdir():
            if file not in kept:
                file.unlink()

    def _state(self, one: Check) -> Path:
        return self.states / f"{one.step}.pt"

    @property
    def best(self) -> Check | None:
        """The best check that learned something and stayed near the reference, if there is one."""
        return max(self._good, key=merit, default=None)

    @property
    def candidates(self) -> list[Check]:
        """What the result is made of: the best check and, of those with as many pairs right, the last.

        That one has learned the longest, and by what is replayed it has come back near the reference, which
        leaves room to go on along its way.
        """
        if self.best is None:
            return []
        equal = [one for one in self._good if one.right == self.best.right]
        return [one for one in equal if one in (self.best, equal[-1])]

    @property
    def _good(self) -> list[Check]:
        """In the order of their steps."""
        bound = self.settings.kl_bound
        return [one for one in self.checks.values() if one.loss < self.start_loss and one.kl <= bound]

    def restore(self, start: Mapping[str, Tensor]) -> None:
        """Put the best candidate into the model, or what lies further along the way from the `start` through
        it, where held-out pairs gain by that and little is forgotten; without a candidate, the start."""
        self.model.load_state_dict(start, strict=False)
        states = {one.step: torch.load(self._state(one), weights_only=True) for one in self.candidates}
        fewest = (1 - FORGOTTEN) * self._known() if states else 0.0
        found = [self._furthest(start, states[one.step], one, fewest) for one in self.candidates]
        self.result = max(found, key=merit, default=None)
        if self.result is not None:
            put(self.model, start, states[self.result.step], self.result.factor)

    def _furthest(
        self, start: Mapping[str, Tensor], tuned: Mapping[str, Tensor], first: Check, fewest: float
    ) -> Check:
        """The figures of the state to which the way through a candidate's leads, where at least the `fewest`
        right answers are still known."""
        factor, found = extrapolate(
            self.model,
            start,
            tuned,
            lambda: check(self.model, self.data, self.settings.beta, first.step, self.execution),
            first,
            lambda now: now.kl > self.settings.kl_bound * UNTRAINED or self._known() < fewest,
        )
        self.report(
            f"{factor:g} times as far from before: held-out pairs right {found.right} of {found.pairs}, "
            f"loss {found.loss:.4f}, {found.kl:.4f} nats from before, by way of step {first.step}"
        )
        return replace(found, factor=factor)

    def _known(self) -> int:
        """How many of the right answers the model would give as it is."""
        return sum(likeliest(self.model, self.data.known, self.execution))


def merit(one: Check) -> tuple[float, float]:
    """By which checks are compared: pairs right, then what they cost."""
    return one.accuracy, -one.loss
