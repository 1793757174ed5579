"""Checks on held-out judgements during tuning: which state is the best, and when to end."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.preferences.judgements import PairItem, TuningData
from usam.training.preferences.reference import in_batches, score_all
from usam.training.preferences.settings import Settings
from usam.training.stages.extrapolation import extrapolate
from usam.training.stages.preference_losses import pair_losses, reference_totals, replay_divergence
from usam.training.trainer import trainable

CHECK_BATCH = 6


@dataclass(frozen=True)
class Check:
    """Figures on held-out pairs after some steps.

    right: pairs of which the preferred answer gained more on the reference than the other. loss: what they
    cost in training, by `pair_losses`. likelier: pairs of which the preferred answer is the likelier one,
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
    likelier = sum(float(i.ref_chosen.logprobs.mean()) > float(i.ref_rejected.logprobs.mean()) for i in held)
    losses = [i.dpo * math.log(2) - i.sft * float(i.ref_chosen.logprobs.mean()) for i in held]
    return Check(0, len(held), 0, sum(losses) / max(1, len(losses)), likelier, 0.0)


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
        preferred, alone = pair_losses(pairs, scored, beta)
        losses += (preferred + alone).tolist()
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


class Watch:
    """Checks on held-out pairs now and then: keeps the best state, and knows when to end.

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
        self.best_file, self.file = folder / "best.pt", folder / "checks.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.checks: dict[int, Check] = {}
        self.extrapolated: Check | None = None
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
        best = self.best
        if best is now:
            part = self.best_file.with_suffix(".part")
            torch.save(trainable(self.model), part)
            part.rename(self.best_file)
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

    @property
    def best(self) -> Check | None:
        """The best check that learned something and stayed near the reference, if there is one."""
        bound = self.settings.kl_bound
        good = [one for one in self.checks.values() if one.loss < self.start_loss and one.kl <= bound]
        return max(good, key=lambda one: (one.accuracy, -one.loss), default=None)

    @property
    def result(self) -> Check | None:
        """The figures of what `restore` puts into the model."""
        return self.extrapolated or self.best

    def restore(self, start: Mapping[str, Tensor]) -> None:
        """Put the best state into the model, or what lies further along the way from the `start` through it,
        where held-out pairs gain by that; without a best state, the start."""
        if self.best is None:
            self.model.load_state_dict(start, strict=False)
            return
        tuned = torch.load(self.best_file, weights_only=True)
        self.model.load_state_dict(tuned, strict=False)
        step, bound = self.best.step, self.settings.kl_bound
        factor, found = extrapolate(
            self.model,
            start,
            tuned,
            lambda: check(self.model, self.data, self.settings.beta, step, self.execution),
            self.best,
            bound,
        )
        self.extrapolated = replace(found, factor=factor)
        self.report(
            f"{factor:g} times as far from before: held-out pairs right {found.right} of {found.pairs}, "
            f"loss {found.loss:.4f}, {found.kl:.4f} nats from before"
        )
