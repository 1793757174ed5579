"""What test_shared_tuning.py launches: the command `tune`, whole, cut and gone on with, and ended early."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests import tiny
from tests.usam.training.preferences.exports import clip, pair, write
from usam.cli import tune as command
from usam.cli.main import main
from usam.model.model import USAM
from usam.training import trainer, tuning
from usam.training.execution import processes
from usam.training.lora import add_llm_lora
from usam.training.preferences import settings
from usam.training.preferences.reference import References
from usam.training.stages import preference

CLIPS = 24
STEPS = 4
CUT = 3  # the step in which a run is cut
SETTINGS = settings.Settings(
    size=3, replayed=2, check_steps=2, rates={"lora": 5e-3, "gates": 1e-3, "projector": 1e-3, "saclm": 1e-3}
)


class Notes:
    """What this process does for a run; `cut` is the step in which it is interrupted."""

    def __init__(self, cut: int) -> None:
        self.cut, self.exported, self.scored = cut, 0, 0
        self.drawn: list[list[str]] = []

    def model(self, options: tuning.TuningOptions, report: object) -> USAM:
        """One whose fresh LoRA differs from process to process: the first's has to win."""
        built = tiny.model(words=True)
        torch.manual_seed(processes().process_index)
        add_llm_lora(built)
        return built.eval()

    def export(self, data: Path, folder: Path) -> Path:
        self.exported += 1
        data.mkdir(exist_ok=True)
        rows = [pair(clip(data, n), f"It is {n}.", f"It is {n}, or else {n + 1}.") for n in range(CLIPS)]
        return write(folder, rows)

    def losses(self, *given: Any, losses: Any = preference.preference_losses) -> dict[str, Tensor]:
        if len(self.drawn) == self.cut - 1:
            raise KeyboardInterrupt
        self.drawn.append([item.chosen.heard.name for item in given[3]])
        return losses(*given)


def tune(folder: Path, name: str, *options: str, work: str = "", cut: int = 0) -> dict[str, Any]:
    """Run the command in the folder; what it answered, and what this process did."""
    notes, store = Notes(cut), References._store

    def noted_store(references: References, batch: Any) -> None:
        notes.scored += 1
        store(references, batch)

    command.export, tuning.load_tunable = notes.export, notes.model
    preference.preference_losses, References._store = notes.losses, noted_store
    places = {"data": "clips", "checkpoint": "parent", "output": name, "work": f"{work or name}-work"}
    chosen = [word for option, place in places.items() for word in (f"--{option}", str(folder / place))]
    try:
        status = main(["tune", *chosen, "--priority", "normal", "--steps", str(STEPS), *options])
    finally:
        References._store = store
    return {"status": status, "exported": notes.exported, "scored": notes.scored, "drawn": notes.drawn}


if __name__ == "__main__":
    trainer.CHECKPOINT_SECONDS = 0.0
    settings.Settings = lambda: SETTINGS
    tuning.TuningOptions = partial(tuning.TuningOptions, replayed=4, asked_again=2)
    place = Path(sys.argv[1])
    runs = {
        "whole": tune(place, "whole", "--kl-bound", "5"),
        "cut": tune(place, "cut", "--kl-bound", "5", cut=CUT),
        "again": tune(place, "again", "--kl-bound", "5", work="cut"),
        "early": tune(place, "early", "--kl-bound", "1e-9"),
    }
    (place / f"{processes().process_index}.json").write_text(json.dumps(runs))
