"""`usam tune`: people's ratings teach a checkpoint.

Exit status 3 where a checkpoint was written that should not take its parent's place. accelerate's launcher
makes 1 of it, as of any other than 0.
"""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from usam.cli import options as shared
from usam.errors import RequestError

if TYPE_CHECKING:
    from usam.training.tuning import Tuned

REFUSED = 3
FORMAT = "preferences"


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    tune = commands.add_parser("tune", help="teach a checkpoint what people prefer")
    source = tune.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="the app's data folder, with its ratings")
    source.add_argument(
        "--export", type=Path, help=f"a folder of `python -m storage export --format {FORMAT}`, dpo or kto"
    )
    target = tune.add_mutually_exclusive_group(required=True)
    target.add_argument("--output", type=Path, help="folder for the tuned checkpoint")
    target.add_argument("--count", action="store_true", help="only count what there is to learn from")
    tune.add_argument("--work", type=Path, help="folder for what is computed once (default: OUTPUT-work)")
    tune.add_argument("--checkpoint", type=Path, help="the checkpoint folder to continue from")
    shared.add_preset_option(tune)
    tune.add_argument(
        "--train",
        default="lora,gates,saclm",
        metavar="PARTS",
        help="what moves: lora, gates, projector, saclm (default: %(default)s)",
    )
    tune.add_argument("--only", metavar="KINDS", help="learn from these kinds of judgement alone")
    tune.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="WHAT",
        help="a kind of judgement, or an annotator's hash, not to learn from; may be given several times",
    )
    tune.add_argument(
        "--weight", action="append", default=[], metavar="KIND=W", help="how heavy a kind is (default: 1)"
    )
    tune.add_argument("--steps", type=int, default=120, help="at most (default: %(default)s)")
    tune.add_argument("--minutes", type=float, help="the budget in minutes instead")
    tune.add_argument("--beta", type=float, default=0.1, help="how dear it is to leave the old answers")
    tune.add_argument(
        "--kl-bound", type=float, default=0.1, help="nats a token from the old answers, where tuning ends"
    )
    tune.add_argument(
        "--gate", type=Path, help="folder with manifest.csv: the public evaluation on it, before and after"
    )
    tune.add_argument("--seed", type=int, default=0)
    tune.add_argument("--device", help="cpu or cuda, of one process (default: a GPU if there is one)")
    tune.add_argument(
        "--priority", choices=("idle", "normal"), default="idle", help="beside what else runs here"
    )
    shared.add_execution_options(tune)
    tune.add_argument("--json", action="store_true", help="print the record as one JSON object")
    tune.set_defaults(run=run_tune)


@shared.needs("train")
def run_tune(options: argparse.Namespace) -> int:
    weights, people = wanted(options)
    if options.count:
        return count(options, weights, people)
    if options.priority == "idle":
        yield_to_others()  # before torch starts its threads, which inherit it
    from dataclasses import replace

    from usam.training.execution import processes
    from usam.training.preferences.settings import Settings
    from usam.training.stages.preference import PARTS
    from usam.training.trainer import Budget
    from usam.training.tuning import TuningOptions, run_tuning

    def report(message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    for name in ("steps", "minutes", "beta", "kl_bound"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            raise RequestError(f"--{name.replace('_', '-')} must be more than 0, not {value}.")
    work = options.work or options.output.with_name(f"{options.output.name}-work")
    execution = shared.execution(options)
    chosen = TuningOptions(
        export=options.export or shared_export(options.data, work / "export"),
        work=work,
        output=options.output,
        checkpoint=options.checkpoint,
        preset=options.preset,
        device=options.device,
        parts=names(options.train, PARTS, "part"),
        weights=weights,
        without=people,
        settings=replace(Settings(), beta=options.beta, kl_bound=options.kl_bound),
        budget=Budget(steps=options.steps) if options.minutes is None else Budget(minutes=options.minutes),
        seed=options.seed,
        execution=execution,
    )
    try:
        tuned = run_tuning(chosen, report)
    except OSError as error:
        raise RequestError(
            f"Tuning stopped: {error.strerror or error}. What was computed is kept in {work.name!r}; the "
            "same command continues."
        ) from error
    if not processes().is_main_process:
        return 0  # what comes of it, the first process says
    if options.gate is not None:
        tuned = gated(tuned, options, report)
    if options.json:
        print(shared.dump(tuned.record, indent=2))
    report(tuned.refused or f"written to {tuned.folder}")
    return REFUSED if tuned.refused else 0


def wanted(options: argparse.Namespace) -> tuple[dict[str, float], list[str]]:
    """How heavy each kind of judgement is, and whose are left out. Raises RequestError."""
    from usam.training.preferences.rows import KINDS

    kinds, people = sorted_out(options.without, KINDS)
    weights = dict.fromkeys(kinds, 0.0)
    if options.only is not None:
        only = names(options.only, KINDS, "kind of judgement")
        weights |= dict.fromkeys(set(KINDS) - set(only), 0.0)
    return weights | dict(weight(text, KINDS) for text in options.weight), people


def count(options: argparse.Namespace, weights: dict[str, float], without: list[str]) -> int:
    """Print what there is to learn from; no model is loaded, and nothing is kept. Raises RequestError."""
    from usam.training.preferences.rows import read_preferences

    with tempfile.TemporaryDirectory() as folder:
        source = options.export or export(options.data, Path(folder) / "export")
        found = read_preferences(source, weights, without)
    if options.json:
        counted = {"counts": found.counts, "dropped": found.dropped, "annotators": found.by_annotator}
        print(shared.dump(counted, indent=2))
    else:
        print(found)
    return 0


@shared.needs("eval")
def gated(tuned: "Tuned", options: argparse.Namespace, report: Callable[[str], None]) -> "Tuned":
    """The result with what the public evaluation says of it, refused where it fell."""
    from dataclasses import replace

    from usam.checkpoints.layout import bundled
    from usam.engine.engine import Engine
    from usam.evaluation.regression import gate
    from usam.training.tuning import write_record

    def load(checkpoint: Path) -> Engine:
        return Engine.load(quantization="none", device=options.device, checkpoint=checkpoint)

    parent = options.checkpoint or bundled(options.preset)
    found = gate(load, parent, tuned.folder, options.gate, report)
    record = {**tuned.record, "evaluation": found}
    if found["fallen"] and not tuned.refused:
        record["refused"] = f"It fell in the public evaluation: {', '.join(found['fallen'])}."
    write_record(tuned.folder, record)
    return replace(tuned, record=record)


def yield_to_others() -> None:
    """Compute only while nobody else wants to, so that an app beside it answers as fast as before."""
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def shared_export(data: Path, folder: Path) -> Path:
    """The export that the first of the processes makes for all. Raises RequestError."""
    from usam.training.execution import processes

    with processes().main_process_first():
        return export(data, folder) if processes().is_main_process else folder


def export(data: Path, folder: Path) -> Path:
    """Let the app's own package write the ratings of a data folder to `folder`. Raises RequestError."""
    if importlib.util.find_spec("storage") is None:
        raise RequestError(
            "The app's ratings are read by its package storage, which is not installed here. Run "
            f"`python -m storage export --format {FORMAT}` where it is, and give its folder as --export."
        )
    if not (data / "feedback.db").is_file() and "USAM_DATABASE_URL" not in os.environ:
        raise RequestError(f"There are no ratings in {data.name!r}: it has no feedback.db.")
    command = [sys.executable, "-m", "storage", "export", "--format", FORMAT, "--out", str(folder)]
    ran = subprocess.run(
        command,
        env=os.environ | {"USAM_DATA": str(data.resolve())},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RequestError(f"The ratings could not be exported. {ran.stderr.strip().splitlines()[-1]}")
    return folder


def names(text: str, known: tuple[str, ...], what: str) -> tuple[str, ...]:
    """Names with commas between them. Raises RequestError."""
    found = tuple(name.strip() for name in text.split(","))
    for name in found:
        if name not in known:
            raise RequestError(f"There is no {what} called {name!r}. Choose of {', '.join(known)}.")
    return found


def sorted_out(given: list[str], kinds: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Kinds of judgement and hashes of annotators. Raises RequestError."""
    people = [name for name in given if re.fullmatch("[0-9a-f]{16}", name)]
    return [name for one in given if one not in people for name in names(one, kinds, "kind or hash")], people


def weight(text: str, kinds: tuple[str, ...]) -> tuple[str, float]:
    """`KIND=W`. Raises RequestError."""
    kind, _, value = text.partition("=")
    names(kind, kinds, "kind of judgement")
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise RequestError(f"A weight is written as KIND=W with W of at least 0, not {text!r}.")
    return kind, found
