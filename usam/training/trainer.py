"""The loop every stage shares: a budget, a learning-rate schedule, resumable checkpoints and a log."""

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from usam.errors import UsamError
from usam.training.execution import (
    Execution,
    agreed,
    average_gradients,
    processes,
    share_parameters,
    to_device,
)

CHECKPOINT_SECONDS = 120.0
LOG_STEPS = 25
LOST_STEPS = 50  # in a row without a finite gradient, after which nothing more is to be learnt


class DivergedError(UsamError):
    """Training that learns nothing any more."""

    def __init__(self, steps: int) -> None:
        super().__init__(
            f"Training has diverged: the last {steps} steps had no finite gradient. The state before them is "
            "kept in the work folder."
        )


@dataclass(frozen=True)
class Budget:
    """How long a stage trains: by steps, which is reproducible, or by minutes, which is predictable."""

    steps: int | None = None
    minutes: float | None = None

    def progress(self, step: int, seconds: float) -> float:
        """Share of the budget that is spent, 0 to 1."""
        if self.minutes is not None:
            return min(1.0, seconds / (self.minutes * 60))
        if self.steps is None:
            raise ValueError("a budget needs steps or minutes")
        return min(1.0, step / self.steps)


def learning_rate(peak: float, progress: float, warmup: float = 0.03) -> float:
    """Linear warm-up over the first share of the budget, then a cosine down to a hundredth of the peak."""
    if progress < warmup:
        return peak * max(progress / warmup, 0.01)
    cosine = (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2
    return peak * (0.01 + 0.99 * cosine)


def train(
    modules: nn.Module,
    groups: list[dict[str, Any]],
    batches: Iterator[Any],
    losses: Callable[[Any, int], dict[str, Tensor]],
    budget: Budget,
    folder: Path,
    report: Callable[[str], None] = print,
    check: Callable[[int], bool] | None = None,
    check_steps: int = LOG_STEPS,
    execution: Execution = Execution(),
    before_step: Callable[[int], None] | None = None,
) -> int:
    """Minimise `losses(batch, step)["loss"]` until the budget is spent; returns the number of steps taken.

    `before_step` is called with each step's number. Every `check_steps` steps `check` is called with their
    number, by the first process alone, and ends the stage by answering true.

    groups: AdamW parameter groups, each with its peak "lr". The state of the trainable parameters of
    `modules`, the optimiser and the clock is kept in `folder` and picked up again from there.
    execution: how many batches make a step; processes that accelerate launched share the work.
    Raises DivergedError if no gradient has been finite for a while.
    """
    first = processes().is_main_process
    folder.mkdir(parents=True, exist_ok=True)
    peaks = [group["lr"] for group in groups]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    step, spent = resume(folder, modules, optimizer)
    share_parameters(parameters)
    processes().wait_for_everyone()  # before anyone writes the next state
    device = parameters[0].device
    started = saved = time.monotonic()
    lost = 0
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    while True:
        elapsed = agreed(spent + time.monotonic() - started)
        progress = budget.progress(step, elapsed)
        if progress >= 1:
            break
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = learning_rate(peak, progress)
        optimizer.zero_grad(set_to_none=True)
        if before_step is not None:
            before_step(step)
        for _ in range(execution.accumulation):
            parts = losses(to_device(next(batches), device), step)
            (parts["loss"] / execution.accumulation).backward()
            for name, value in parts.items():
                sums[name] += float(value.detach())
                counts[name] += 1
        average_gradients(parameters)
        norm = nn.utils.clip_grad_norm_(parameters, 1.0)
        lost = 0 if torch.isfinite(norm) else lost + 1
        if not lost:
            optimizer.step()
        elif lost == LOST_STEPS:
            raise DivergedError(lost)
        step += 1
        if first and step % LOG_STEPS == 0:
            means = {name: round(sums[name] / counts[name], 4) for name in sums}
            left = round(elapsed * (1 - progress) / progress) if progress else None
            entry = {"step": step, "seconds": round(elapsed), "left": left, "progress": round(progress, 4)}
            entry |= means
            with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry) + "\n")
            report("  ".join(f"{name} {value}" for name, value in entry.items()))
            sums.clear()
            counts.clear()
        if check is not None and step % check_steps == 0:
            if agreed(float(first and check(step))):
                break
            saved = -math.inf  # whatever the check kept and the state belong together
        if first and time.monotonic() - saved > CHECKPOINT_SECONDS:
            save(folder, modules, optimizer, step, elapsed)
            saved = time.monotonic()
    if first:
        save(folder, modules, optimizer, step, spent + time.monotonic() - started)
    processes().wait_for_everyone()
    return step


def trainable(modules: nn.Module) -> dict[str, Tensor]:
    """The named parameters that are trained; the frozen ones come from elsewhere."""
    return {name: value.detach() for name, value in modules.named_parameters() if value.requires_grad}


def save(
    folder: Path, modules: nn.Module, optimizer: torch.optim.Optimizer, step: int, seconds: float
) -> None:
    """Write the state under another name first, so that a kill leaves the last whole checkpoint."""
    state = {
        "parameters": trainable(modules),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    part = folder / "state.part"
    torch.save(state, part)
    part.rename(folder / "state.pt")


def draws(folder: Path, seed: int, what: str = "batches") -> Random:
    """What a stage in `folder` draws by: one that goes on must not meet its first batches again, and
    processes that train together draw different ones."""
    file = folder / "state.pt"
    taken = torch.load(file, weights_only=True, mmap=True)["step"] if file.exists() else 0
    index = processes().process_index
    return Random(f"{what} by {seed} after {taken} steps" + (f" in process {index}" if index else ""))


def resume(folder: Path, modules: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
    """Load the last checkpoint of `folder` if there is one; returns its step and seconds.

    Raises ValueError if it is not one of the parameters that are trained here.
    """
    file = folder / "state.pt"
    if not file.exists():
        return 0, 0.0
    state = torch.load(file, weights_only=True, map_location="cpu")
    other = sorted(state["parameters"].keys() ^ trainable(modules).keys())
    if other:
        raise ValueError(f"{file} and this model differ in the parameters they train: {other[:3]}")
    modules.load_state_dict(state["parameters"], strict=False)
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"]), float(state["seconds"])
