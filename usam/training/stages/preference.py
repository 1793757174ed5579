"""The stage of preferences: answers that people prefer become likelier than those they do not.

Pairs by direct preference optimisation, with a term that makes the preferred answer likelier by itself;
thumbs by Kahneman-Tversky optimisation; stretches that mattered by SACLM's predictive score. What is
replayed keeps the distribution that the model had. The best state by held-out pairs is what remains.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from usam.errors import RequestError
from usam.model.model import USAM
from usam.training.execution import Execution, processes
from usam.training.preferences.clips import Completion, Heard, collate
from usam.training.preferences.reference import Reference, Scored, divergence, in_batches, score_all
from usam.training.preferences.rows import Mark
from usam.training.stages.extrapolation import extrapolate
from usam.training.stages.preference_losses import dpo_loss, kto_kl, kto_loss
from usam.training.trainer import Budget, train, trainable

PARTS = ("lora", "gates", "projector", "saclm")
BY_DEFAULT = ("lora", "gates", "saclm")
CHECK_BATCH = 6


@dataclass(frozen=True)
class Settings:
    """How strongly each kind of evidence pulls, and what holds it back.

    beta: of both losses, how dear it is to leave the reference. sft: weight of making a preferred answer
    likelier by itself; corrected: the same for a correction, and over: that of preferring it to what it
    corrects, from which it differs in wording most of all: much of it changes how everything is named. marks:
    weight of what mattered. replay: weight of the divergence on what is replayed. kl_bound: nats a token on
    held-out replay, above which tuning ends. size: judgements of a batch; replayed: answers beside them that
    are replayed. patience: checks without a better one. rates: peak learning rate by part.
    """

    beta: float = 0.1
    sft: float = 0.2
    corrected: float = 1.0
    over: float = 0.1
    marks: float = 0.2
    replay: float = 1.0
    kl_bound: float = 0.1
    size: int = 6
    replayed: int = 3
    check_steps: int = 10
    patience: int = 4
    rates: dict[str, float] = field(
        default_factory=lambda: {"lora": 1e-4, "gates": 3e-4, "projector": 3e-5, "saclm": 3e-4}
    )


@dataclass(frozen=True)
class PairItem:
    """Two answers to one question and how likely the reference holds them. dpo, sft: weights of preferring
    the one to the other, and of making it likelier by itself."""

    chosen: Completion
    rejected: Completion
    ref_chosen: Reference
    ref_rejected: Reference
    weight: float
    sft: float
    dpo: float = 1.0


@dataclass(frozen=True)
class ThumbItem:
    """An answer alone; `other` is one to another question, put to this one, that tells how far the model is
    from the reference."""

    completion: Completion
    ref: Reference
    other: Completion
    ref_other: Reference
    desirable: bool
    weight: float


@dataclass(frozen=True)
class MarkItem:
    """What mattered of a clip to an answer."""

    heard: Heard
    completion: Completion
    marks: tuple[Mark, ...]
    weight: float


@dataclass(frozen=True)
class ReplayItem:
    """An answer whose distribution is to stay."""

    completion: Completion
    ref: Reference


Judged = PairItem | ThumbItem | MarkItem


@dataclass(frozen=True)
class TuningData:
    """What is learned from, and what is held out."""

    judged: Sequence[Judged]
    replay: Sequence[ReplayItem] = ()
    held_pairs: Sequence[PairItem] = ()
    held_replay: Sequence[ReplayItem] = ()


def balance(thumbs: Sequence[ThumbItem]) -> dict[bool, float]:
    """Weights under which what is wanted and what is not pull alike, the rarer one more."""
    counts = {label: sum(item.desirable == label for item in thumbs) for label in (True, False)}
    most = max(counts.values(), default=1)
    return {label: most / count if count else 1.0 for label, count in counts.items()}


def preference_losses(
    model: USAM,
    settings: Settings,
    weights: dict[bool, float],
    judged: Sequence[Judged],
    replay: Sequence[ReplayItem],
    execution: Execution = Execution(),
) -> dict[str, Tensor]:
    """The loss of some judgements with what is replayed beside them, and its parts; one pass of the LLM.

    weights: as `balance` gives them.
    """
    pairs = [item for item in judged if isinstance(item, PairItem)]
    thumbs = [item for item in judged if isinstance(item, ThumbItem)]
    marks = [item for item in judged if isinstance(item, MarkItem)]
    completions = [
        *(item.chosen for item in pairs),
        *(item.rejected for item in pairs),
        *(item.completion for item in thumbs),
        *(item.other for item in thumbs),
        *(item.completion for item in replay),
    ]
    parts: dict[str, Tensor] = {}
    loss = torch.zeros((), device=model.device)
    if completions:
        scored = score_all(model, completions, execution)
        totals = scored.totals()
        if pairs:
            heavy = totals.new_tensor([item.weight for item in pairs])
            preferred, alone = pair_losses(pairs, scored, settings.beta)
            parts["pairs"], parts["sft"] = (heavy * preferred).mean(), (heavy * alone).mean()
            loss = loss + (parts["pairs"] + parts["sft"]) * len(pairs) / len(judged)
        if thumbs:
            own, other = totals[2 * len(pairs) :].split(len(thumbs))[:2]
            heavy = totals.new_tensor([item.weight * weights[item.desirable] for item in thumbs])
            kl = kto_kl(other, totals.new_tensor([item.ref_other.total for item in thumbs]))
            parts["thumbs"] = (
                heavy
                * kto_loss(
                    own,
                    totals.new_tensor([item.ref.total for item in thumbs]),
                    torch.tensor([item.desirable for item in thumbs], device=own.device),
                    kl,
                    settings.beta,
                )
            ).mean()
            loss = loss + parts["thumbs"] * len(thumbs) / len(judged)
        if replay:
            parts["replay"] = replay_divergence(scored, len(completions) - len(replay), replay)
            loss = loss + settings.replay * parts["replay"]
    if marks:
        parts["marks"] = marks_loss(model, marks, execution)
        loss = loss + settings.marks * parts["marks"] * len(marks) / len(judged)
    return {"loss": loss, **parts}


def pair_losses(pairs: Sequence[PairItem], scored: Scored, beta: float) -> tuple[Tensor, Tensor]:
    """What each pair costs [B], without its weight: that of preferring the one answer, and that of making it
    likely by itself. The first rows of `scored` are the chosen answers, the next the rejected."""
    chosen, rejected = scored.totals()[: 2 * len(pairs)].chunk(2)
    ref_chosen, ref_rejected = reference_totals(pairs, chosen)
    dpo = chosen.new_tensor([item.dpo for item in pairs])
    sft = chosen.new_tensor([item.sft for item in pairs])
    preferred = dpo * dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta)
    return preferred, -sft * scored.means()[: len(pairs)]


def reference_totals(pairs: Sequence[PairItem], like: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities [B] of the chosen and of the rejected under the reference."""
    chosen = like.new_tensor([item.ref_chosen.total for item in pairs])
    return chosen, like.new_tensor([item.ref_rejected.total for item in pairs])


def replay_divergence(scored: Scored, first: int, replay: Sequence[ReplayItem]) -> Tensor:
    """Mean divergence a token, in nats, of the rows from `first` on."""
    found = [divergence(item.ref, scored.logits[scored.row == first + i]) for i, item in enumerate(replay)]
    return torch.cat(found).mean()


def marks_loss(model: USAM, items: Sequence[MarkItem], execution: Execution = Execution()) -> Tensor:
    """Cross-entropy of SACLM's predictive score, of the vectors in marked stretches, against whether these
    mattered: a weighted mean over vectors."""
    given = collate(model, [item.completion for item in items])
    with execution.autocast(model.device), torch.no_grad():
        audio = model.project(
            given.tokens, given.mask, [prompt.question for prompt in given.prompts], given.words
        )
    seconds = model.adapter.config.token_seconds
    wanted = torch.full(audio.mask.shape, -1.0)
    heavy = torch.zeros(audio.mask.shape)
    starts = audio.owner.cpu() * seconds
    for row, item in enumerate(items):
        for mark in item.marks:
            inside = (starts[row] < mark.end) & (starts[row] + seconds > mark.start)
            wanted[row, inside] = float(mark.mattered)
            heavy[row, inside] = item.weight
    wanted, heavy = wanted.to(audio.mask.device), heavy.to(audio.mask.device)
    marked = audio.mask & (wanted >= 0)
    logits = model.adapter.saclm.predictor(audio.tokens.float()).squeeze(-1)
    losses = F.binary_cross_entropy_with_logits(logits, wanted.clamp_min(0), weight=heavy, reduction="none")
    return losses.masked_fill(~marked, 0.0).sum() / (heavy * marked).sum().clamp_min(1e-6)


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


def choose_parts(model: USAM, parts: Sequence[str]) -> dict[str, list[nn.Parameter]]:
    """The parameters that move, by part; all others stay. A checkpoint without a part leaves it out."""
    adapter = model.adapter
    lora = [p for name, p in model.llm.named_parameters() if "lora_" in name]
    chosen: dict[str, list[nn.Parameter]] = {
        "lora": lora,
        "gates": [] if adapter.words is None else list(adapter.words.parameters()),
        "projector": list(adapter.projector.parameters()),
        "saclm": list(adapter.saclm.predictor.parameters()),
    }
    model.requires_grad_(False)
    moving = {part: chosen[part] for part in parts if chosen[part]}
    for parameters in moving.values():
        for parameter in parameters:
            parameter.requires_grad_(True)
    return moving


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


def run_preferences(
    model: USAM,
    data: TuningData,
    settings: Settings,
    budget: Budget,
    folder: Path,
    parts: Sequence[str] = BY_DEFAULT,
    seed: int = 0,
    report: Callable[[str], None] = print,
    execution: Execution = Execution(),
) -> Watch:
    """Tune until the budget is spent, held-out pairs get no better, or the model is too far from what it was.

    Batches are drawn by their number, so that a run that was cut repeats nothing and ends as one that was
    not. The model is left in its best state; the watch tells which that is, if any is better than none. Of
    processes that train together the first does the checks, and its model alone is left so.
    """
    moving = choose_parts(model, parts)
    if set(moving) <= {"saclm"} and not any(isinstance(item, MarkItem) for item in data.judged):
        raise RequestError("SACLM alone learns of marked tokens and spans, and none are marked here.")
    groups: list[dict[str, Any]] = [
        {"params": parameters, "lr": settings.rates[part]} for part, parameters in moving.items()
    ]
    first = processes().is_main_process
    start = trainable_copy(model)
    watch = Watch(model, data, settings, folder, report, execution)
    weights = balance([item for item in data.judged if isinstance(item, ThumbItem)])

    def losses(batch: int, step: int) -> dict[str, Tensor]:
        number = batch_number(step, batch, execution)
        torch.manual_seed(Random(f"{seed} {number}").getrandbits(63))
        model.train()
        model.adapter.qformer.eval()
        return preference_losses(
            model,
            settings,
            weights,
            drawn(data.judged, settings.size, seed, number),
            drawn(data.replay, settings.replayed, seed + 1, number),
            execution,
        )

    if not watch.ended:
        batches = cycle(range(execution.accumulation))
        last = train(
            model,
            groups,
            batches,
            losses,
            budget,
            folder,
            report,
            watch,
            settings.check_steps,
            execution,
        )
        if first and not watch.ended and last not in watch.checks:
            watch(last)
    model.eval()
    if first:
        watch.restore(start)
    return watch


def trainable_copy(model: USAM) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in trainable(model).items()}


def batch_number(step: int, batch: int, execution: Execution) -> int:
    """The number of a step's batch among those of all steps and processes, each of which draws its own."""
    together = processes()
    return (step * execution.accumulation + batch) * together.num_processes + together.process_index


def drawn(items: Sequence[Any], size: int, seed: int, batch: int) -> list[Any]:
    """The items of the batch of that number: all of them in a new order each time round."""
    if not items:
        return []
    size = min(size, len(items))
    first = batch * size
    found: list[Any] = []
    while len(found) < size:
        epoch, place = divmod(first + len(found), len(items))
        order = list(range(len(items)))
        Random(f"{seed} {epoch}").shuffle(order)
        found.append(items[order[place]])
    return found
