"""What test_execution.py launches: a stage whose batches differ from process to process, and goes on once."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from usam.training.execution import processes
from usam.training.trainer import Budget, draws, train


def run(folder: Path, steps: int) -> dict[str, Any]:
    index = processes().process_index
    torch.manual_seed(index + steps)  # the first process's values have to win, and the state's over those
    names = ("used", "sometimes", "never")
    modules = nn.ModuleDict({name: nn.Linear(2, 1) for name in names})
    random, drawn = draws(folder, 0), []

    def batches() -> Iterator[Tensor]:
        while True:
            drawn.append(random.random())
            yield torch.tensor([[drawn[-1], 1.0]])

    def losses(batch: Tensor, step: int) -> dict[str, Tensor]:
        loss = modules["used"](batch).square().sum()
        return {"loss": loss + modules["sometimes"](batch).square().sum() if index else loss}

    groups = [{"params": list(modules.parameters()), "lr": 1e-2}]
    taken = train(modules, groups, batches(), losses, Budget(steps=steps), folder)
    return {"taken": taken, "drawn": drawn, "values": [each.tolist() for each in modules.parameters()]}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    runs = [run(place / "stage", steps) for steps in (3, 5)]
    (place / f"{processes().process_index}.json").write_text(json.dumps(runs))
