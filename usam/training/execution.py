"""How training computes: its precision and memory, and the processes that share it, through accelerate.

`accelerate launch --num_processes N -m usam train ...` starts N processes. Each draws batches of its own, and
the gradients of all are averaged; the first writes what is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from accelerate import PartialState
from accelerate.utils import broadcast, parse_flag_from_env, reduce
from torch import Tensor

from usam.checkpoints.layout import TRAINING

Value = TypeVar("Value")
PATIENCE = timedelta(hours=12)  # that processes wait for the first, which prepares the data


@dataclass(frozen=True)
class Execution:
    """bf16: arithmetic in bfloat16 where that is safe. accumulation: batches whose gradients make one step.
    gradient_checkpointing: compute the LLM's activations twice instead of keeping them. qlora: the LLM in 4
    bits (NF4) under its LoRA.
    """

    bf16: bool = True
    accumulation: int = 1
    gradient_checkpointing: bool = False
    qlora: bool = False

    def __post_init__(self) -> None:
        if self.accumulation < 1:
            raise ValueError("accumulation must be at least 1")

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        return torch.autocast(device.type, torch.bfloat16, enabled=self.bf16)

    @property
    def arithmetic(self) -> str:
        """Names how the model computes, empty for how it does by default: what it says depends on it."""
        names = {"float32": not self.bf16, "qlora": self.qlora}
        return "-".join(name for name, chosen in names.items() if chosen)

    def changes(self) -> dict[str, Any]:
        """What makes a run end with other weights than by default, the number of processes included.

        Gradient checkpointing is left out: it computes the same.
        """
        chosen = asdict(self) | {"processes": processes().num_processes}
        default = asdict(Execution(gradient_checkpointing=self.gradient_checkpointing)) | {"processes": 1}
        return {name: value for name, value in chosen.items() if value != default[name]}


def processes() -> PartialState:
    """The processes that train together, and this one's device: the first GPU that is its own, or the CPU."""
    on_cpu = parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.cuda.is_available()
    return PartialState(cpu=on_cpu, timeout=PATIENCE)


def share_parameters(parameters: Sequence[Tensor]) -> None:
    """Begin with the first process's values in all of them."""
    if processes().num_processes > 1:
        for parameter in parameters:
            parameter.data.copy_(broadcast(parameter.data))


def average_gradients(parameters: Sequence[Tensor]) -> None:
    """Replace the gradients by their mean over the processes; one that a process lacks counts as zero, and
    one that all lack is still none."""
    if processes().num_processes == 1:
        return
    held = torch.tensor([float(p.grad is not None) for p in parameters], device=parameters[0].device)
    known = reduce(held, "sum").tolist()
    shared = [p for p, count in zip(parameters, known, strict=True) if count]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in shared]
    together = reduce(torch.cat([gradient.flatten().float() for gradient in gradients]), "mean")
    for parameter, part in zip(shared, together.split([p.numel() for p in shared]), strict=True):
        parameter.grad = part.view_as(parameter).to(parameter.dtype)


def agreed(value: float) -> float:
    """The first process's value, of a clock or a decision: all have to end at the same step."""
    if processes().num_processes == 1:
        return value
    return float(broadcast(torch.tensor([value], device=processes().device)))


def to_device(value: Value, device: torch.device) -> Value:
    """The same with every tensor in it on the device, also those in dataclasses, sequences and mappings."""
    if isinstance(value, Tensor):
        return cast(Value, value.to(device))
    if is_dataclass(value) and not isinstance(value, type):
        held = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        moved = {name: to_device(each, device) for name, each in held.items()}
        changed = {name: each for name, each in moved.items() if each is not held[name]}
        return cast(Value, replace(value, **changed)) if changed else value
    if isinstance(value, list | tuple):
        parts = [to_device(each, device) for each in value]
        same = all(part is each for part, each in zip(parts, value, strict=True))
        return value if same else cast(Value, type(value)(parts))
    return value


def write_settings(folder: Path, command: str, options: Any) -> None:
    """Keep a run's settings with its checkpoint, and the versions it ran with; of paths the name alone."""
    packages = ("torch", "transformers", "peft", "accelerate")
    settings = {
        "command": command,
        "settings": _plain(options),
        "processes": processes().num_processes,
        "device": processes().device.type,
        "versions": {name: version(name) for name in packages},
    }
    (folder / TRAINING).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        found = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: _plain(each) for name, each in found.items() if not isinstance(each, Callable)}  # type: ignore[arg-type]
    if isinstance(value, Path):
        return value.name
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
