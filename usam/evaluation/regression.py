"""Whether a tuned checkpoint lost what its parent could: the public evaluation of both, figure by figure."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from usam.engine.engine import Engine
from usam.evaluation.metrics import Figure
from usam.evaluation.questions import ALL_KINDS
from usam.evaluation.run import Options, evaluate

GUARDED = ("transcription", "sound named", "instrument named", ALL_KINDS)
CLIPS = 20  # of each kind
NEAR = 0.02  # a fall that is too small to matter, however narrow the interval


def falls(parent: Mapping[str, Figure], tuned: Mapping[str, Figure]) -> list[str]:
    """Guarded figures of which the tuned checkpoint's value is worse than all of the parent's interval."""
    fallen = []
    for name in GUARDED:
        if name not in parent or name not in tuned:
            continue
        before, after = parent[name], tuned[name]
        low, high = before["interval"]
        errors = "cer" in before  # the more the worse
        worse = after["value"] > high if errors else after["value"] < low
        if worse and abs(after["value"] - before["value"]) > NEAR:
            fallen.append(f"{name} from {before['value']:.3f} to {after['value']:.3f}")
    return fallen


def gate(
    load: Callable[[Path], Engine],
    parent: Path,
    tuned: Path,
    data: Path,
    report: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Evaluate both checkpoints on some held-out clips of a data folder: their guarded figures and what fell.

    Raises CorpusError if the folder has no manifest.
    """
    figures = {}
    for name, checkpoint in (("parent", parent), ("tuned", tuned)):
        report(f"evaluating the {name}")
        scores = evaluate(load(checkpoint), Options(data=data, limit=CLIPS), report)["scores"]
        figures[name] = {figure: scores[figure] for figure in GUARDED if figure in scores}
    return {**figures, "fallen": falls(figures["parent"], figures["tuned"])}
