"""What each part is worth: the same short training with the part and without it.

    python -m usam.evaluation.ablations.retraining --data DATA --start usam/checkpoints/mini \\
        --work work --out ablations.json

Taking a part out of a trained model shows how much that model leans on it (`usam eval --ablations`);
letting the rest make up for the loss shows what the part is worth. Every run goes on from the checkpoint,
or from nothing without one, on the corpus alone, in as many steps, the first with all parts in place.
`--only` makes the runs of one ablation, so that several processes can share the work; figures are kept in
the work folder, and the table is made of all that are there.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from usam.adapter.adapter import USAMAdapter
from usam.data.splits import read_heldout
from usam.engine.engine import Engine
from usam.evaluation.ablations.inference import DECIDING
from usam.evaluation.answering import ask
from usam.evaluation.clips import read_clips
from usam.evaluation.question_sets import question_sets
from usam.evaluation.questions import score
from usam.evaluation.routing import separation
from usam.training.pipeline import TrainingOptions, run_training
from usam.training.trainer import Budget

WHOLE = "all parts"
SHOWN = ("transcription", "sound named", "instrument named", "instrument family named", "kind told")
ROUTER = "router (bits)"


def keep_all(adapter: USAMAdapter) -> None:
    """The run the others are held against."""


def remove_layers(adapter: USAMAdapter) -> None:
    """The Q-Former's layers add nothing: every residual branch ends in a zero that is not trained."""
    layers = adapter.qformer.layers
    for name, parameter in layers.named_parameters():
        if ".out." in name or ".feedforward.3." in name:
            parameter.data.zero_()
    layers.requires_grad_(False)


def fix_uniform_routing(adapter: USAMAdapter) -> None:
    """Every token meets all experts alike: together they are one, as wide as the three."""
    router = adapter.projector.router
    for parameter in router[-1].parameters():
        parameter.data.zero_()
    router.requires_grad_(False)


@dataclass(frozen=True)
class Ablation:
    """`ablate` takes a part out of an adapter for good; `saclm` tells whether its losses are trained on."""

    ablate: Callable[[USAMAdapter], None] = keep_all
    saclm: bool = True


ABLATIONS = {
    WHOLE: Ablation(),
    "no Q-Former layers": Ablation(remove_layers),
    "one expert": Ablation(fix_uniform_routing),
    "no SACLM": Ablation(saclm=False),
}


@dataclass(frozen=True)
class Steps:
    """The budget of every run; a stage for each field."""

    direct: int = 1_000  # only from nothing
    tokens: int = 100
    align: int = 150
    instruct: int = 60


def run_ablation(
    name: str, seed: int, options: argparse.Namespace, heldout: Sequence[str], steps: Steps
) -> dict[str, float]:
    """Train one run, or go on with it, ask it what decides, and keep the figures beside its checkpoints."""
    ablation = ABLATIONS[name]
    run = f"{run_name(name)}-{seed}"
    work: Path = options.work
    kept = work / run / "figures.json"
    if not kept.exists():
        run_training(
            TrainingOptions(
                corpus=options.data,
                work=work,
                output=work / run / "adapter",
                heldout=heldout,
                start=options.start,
                direct=Budget(steps=steps.direct),
                tokens=Budget(steps=steps.tokens),
                align=Budget(steps=steps.align),
                instruct=Budget(steps=steps.instruct),
                teacher=False,
                derived=False,
                seed=seed,
                run=run,
                saclm=ablation.saclm,
                ablate=ablation.ablate,
            )
        )
        kept.write_text(json.dumps(deciding(work / run / "adapter", options.data, heldout, options.limit)))
    figures: dict[str, float] = json.loads(kept.read_text())
    return figures


def deciding(
    checkpoint: Path,
    data: Path,
    heldout: Sequence[str],
    limit: int,
    report: Callable[[str], None] = print,
) -> dict[str, float]:
    """The figures that decide, of a checkpoint on the public held-out clips."""
    engine = Engine.load(checkpoint=checkpoint)
    sets = question_sets(read_clips(data, limit, heldout))
    questions = [question for name in DECIDING for question in sets[name]]
    replies = ask(engine, questions, report)
    scores = score(questions, [reply.text for reply in replies])
    about_kind = list(zip(questions, replies, strict=True))[-len(sets["kind"]) :]
    router = separation(
        [(kind, reply.routing) for question, reply in about_kind for kind in question.clip.kinds]
    )
    return {name: scores[name]["value"] for name in SHOWN if name in scores} | {
        ROUTER: router["mutual_information_bits"]
    }


def run_name(ablation: str) -> str:
    """What the folders of an ablation's runs are called, before the seed."""
    return ablation.replace(" ", "-")


def gather(work: Path) -> dict[str, list[dict[str, float]]]:
    """The figures of every run in the work folder, by ablation, a seed after the other."""
    return {
        name: [json.loads(file.read_text()) for file in sorted(work.glob(f"{run_name(name)}-*/figures.json"))]
        for name in ABLATIONS
    }


def table(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A Markdown row an ablation: the mean of its seeds, and the least and most in brackets."""
    columns = [*SHOWN, ROUTER]
    rows = [["trained with", "seeds", *columns], ["---"] * (len(columns) + 2)]
    for name, found in runs.items():
        values = [[figures[column] for figures in found if column in figures] for column in columns]
        rows.append([name, str(len(found)), *(spread(column) for column in values)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    return f"{statistics.fmean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--start", type=Path, help="a checkpoint folder to go on from")
    parser.add_argument("--work", type=Path, required=True, help="folder for frames, runs and their figures")
    parser.add_argument("--heldout", type=Path, help="file of further held-out clip names, one a line")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=ABLATIONS, action="append", help="this ablation alone")
    parser.add_argument("--limit", type=int, default=60, help="clips of each kind to ask about")
    parser.add_argument("--out", type=Path, help="file for all figures")
    for stage, count in vars(Steps()).items():
        parser.add_argument(f"--{stage}-steps", type=int, default=count)
    options = parser.parse_args()
    steps = Steps(**{stage: getattr(options, f"{stage}_steps") for stage in vars(Steps())})
    heldout = read_heldout(options.heldout)
    for seed in range(options.seeds):
        for name in options.only or ABLATIONS:
            run_ablation(name, seed, options, heldout, steps)
    runs = gather(options.work)
    print(table(runs))
    if options.out is not None:
        options.out.write_text(json.dumps(runs, indent=2))


if __name__ == "__main__":
    main()
