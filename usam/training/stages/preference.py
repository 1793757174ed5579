"""The stage of preferences: answers that people prefer become likelier than those they do not.

Pairs by direct preference optimisation, with a term that makes the preferred answer likelier by itself;
thumbs by Kahneman-Tversky optimisation; stretches that mattered by SACLM's predictive score. What is
replayed keeps the distribution that the model had. The best state by held-out pairs is what remains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from usam.errors import RequestError
from usam.model.model import USAM
from usam.training.execution import Execution, processes
from usam.training.preferences.judgements import MarkItem, ThumbItem, TuningData, balance
from usam.training.preferences.settings import Settings
from usam.training.stages.preference_checks import Watch
from usam.training.stages.preference_losses import preference_losses
from usam.training.trainer import Budget, train, trainable

PARTS = ("lora", "gates", "projector", "saclm")
BY_DEFAULT = ("lora", "gates", "saclm")


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
