"""`python -m usam ask|intervene|deletion-test|attribute|eval|train|health|bench|weights`.

Exit status 0, or 2 with one plain line on stderr.
"""

import os

# Idle OpenMP threads would otherwise spin against the rest of the machine; torch reads this when imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from usam.errors import RequestError, UsamError
from usam.schema.tasks import TASKS
from usam.weights.catalogue import PRESETS


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except UsamError as error:
        print(f"usam: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m usam", description=__doc__)
    commands = root.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", help="answer a question about a clip")
    ask.add_argument(
        "--drop-redundant",
        action="store_true",
        help="drop the audio tokens that the question leaves redundant before the language model reads them",
    )
    ask.add_argument(
        "--batch",
        type=Path,
        metavar="CSV",
        help="ask about every row (columns path, question, task) instead of about one clip; goes on when cut",
    )
    ask.add_argument("--out", type=Path, metavar="JSONL", help="of --batch; by default beside the table")
    ask.set_defaults(run=run_ask, usage=ask.error)

    change = commands.add_parser(
        "intervene", help="answer, change the audio tokens, answer again, and compare"
    )
    changes = change.add_mutually_exclusive_group(required=True)
    changes.add_argument("--force-expert", type=int, metavar="E", help="one expert alone; the first is 0")
    changes.add_argument("--uniform", action="store_true", help="all experts alike")
    changes.add_argument(
        "--drop",
        choices=("redundant", "random"),
        help="the redundant tokens, or as many drawn by the seed (control)",
    )
    changes.add_argument("--keep", choices=("redundant",), help="only the redundant tokens")
    changes.add_argument(
        "--drop-span", type=float, nargs=2, metavar=("S", "E"), help="tokens within seconds of the clip"
    )
    change.set_defaults(run=run_intervene)

    deletion = commands.add_parser(
        "deletion-test", help="whether redundant tokens can go and random ones cannot"
    )
    deletion.add_argument("--seeds", type=int, default=5, help="random draws to compare with")
    deletion.add_argument("--reference", help="an answer to measure instead of the model's own")
    deletion.set_defaults(run=run_deletion_test)

    leaning = commands.add_parser(
        "attribute", help="which part of the clip each word of the answer leaned on"
    )
    leaning.add_argument("--group", type=int, help="audio tokens occluded at a time; by default a window's")
    leaning.set_defaults(run=run_attribute)

    for command in (ask, change, deletion, leaning):
        command.add_argument("clip", nargs="?" if command is ask else None)
        command.add_argument("question", nargs="?", help="without one, the task's own prompt is asked")
        command.add_argument("--task", choices=sorted(TASKS), default="qa")
        command.add_argument("--start", type=float, help="seconds; the span that is heard")
        command.add_argument("--end", type=float, help="seconds")
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--temperature", type=float, default=0.0, help="0 is greedy")
        command.add_argument("--max-new-tokens", type=int, default=128)

    evaluate = commands.add_parser("eval", help="the public evaluation, on held-out clips of a data folder")
    evaluate.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    evaluate.add_argument("--limit", type=int, help="at most this many clips of a kind")
    evaluate.add_argument(
        "--baselines", action="store_true", help="also the encoders, Whisper's decoder and the LLM alone"
    )
    evaluate.add_argument(
        "--ablations", action="store_true", help="also without single parts, and SACLM's deletion test"
    )
    evaluate.add_argument("--work", type=Path, help="folder for what the baselines compute once")
    evaluate.add_argument(
        "--packages", type=Path, help="/usr/share with fillets-ng's Czech and Dutch, to be translated"
    )
    evaluate.add_argument("--write", action="store_true", help="keep the figures in the checkpoint folder")
    evaluate.add_argument("--heldout", type=Path, help="file of further held-out clip names, one a line")
    evaluate.set_defaults(run=run_eval)

    train = commands.add_parser("train", help="train the adapter")
    train.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    train.add_argument("--synthesis", type=Path, help="folder of usam.data.synthetic.speech")
    train.add_argument(
        "--packages", type=Path, help="/usr/share, for sounds of Debian packages that are there"
    )
    train.add_argument("--rendered", type=Path, help="folder of usam.data.synthetic.instruments")
    train.add_argument("--start", type=Path, help="a checkpoint folder to go on from")
    train.add_argument("--work", type=Path, required=True, help="folder for frames, checkpoints and logs")
    train.add_argument("--output", type=Path, required=True, help="folder for the trained adapter")
    train.add_argument("--minutes", type=float, help="budget of all stages together")
    train.add_argument("--direct-steps", type=int, default=2_000)
    train.add_argument("--tokens-steps", type=int, default=1_500)
    train.add_argument("--align-steps", type=int, default=20_000)
    train.add_argument("--instruct-steps", type=int, default=4_000)
    train.add_argument("--heldout", type=Path, help="file of clip names to keep out, one a line")
    train.add_argument("--no-teacher", action="store_true", help="leave clips without transcripts out")
    train.add_argument("--seed", type=int, default=0)
    train.set_defaults(run=run_train)

    health = commands.add_parser(
        "health", help="whether the router is alive: distinct experts, load, entropy"
    )
    health.set_defaults(run=run_health)

    bench = commands.add_parser("bench", help="speed and memory, beside transformers and llama.cpp")
    bench.add_argument("--rounds", type=int, default=5)
    bench.add_argument("--tokens", type=int, default=128, help="that each runtime writes in a round")
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    bench.add_argument(
        "--data", type=Path, help="folder with manifest.csv, for transcripts of its held-out speech"
    )
    bench.add_argument("--plot", type=Path, metavar="PNG", help="also draw the figures")
    bench.set_defaults(run=run_bench)

    weights = commands.add_parser(
        "weights", help="fetch the pretrained weights, or verify those that are there"
    )
    weights.add_argument("--verify", action="store_true", help="check the hash of every file")
    weights.set_defaults(run=run_weights)

    for command in (ask, change, deletion, leaning, evaluate, health):
        command.add_argument("--quantization", choices=("nf4", "int8", "none"), default="nf4")
        command.add_argument("--checkpoint", type=Path, help="an adapter folder instead of the shipped one")
    for command in (ask, change, deletion, leaning, evaluate, train, health, weights):
        command.add_argument("--preset", choices=sorted(PRESETS), default="mini")
    for command in (ask, change, deletion, leaning, evaluate, health):
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return root


def load_engine(options: argparse.Namespace) -> Any:
    """The engine the options ask for, with progress on stderr where a person watches."""
    from usam.engine.engine import Engine

    return Engine.load(options.preset, options.quantization, checkpoint=options.checkpoint, progress=progress)


def progress(message: str, share: float) -> None:
    if sys.stderr.isatty():
        end = "\n" if share >= 1 else ""
        print(f"\r\033[K{message} {share:.0%}", end=end, file=sys.stderr, flush=True)


def run_ask(options: argparse.Namespace) -> None:
    from usam.schema.answer import Answer
    from usam.schema.events import TextDelta
    from usam.schema.interventions import DropRedundant

    if options.batch:
        run_table(options)
        return
    if options.clip is None or options.out:
        options.usage("a clip is needed, or --batch, which alone takes --out")
    clip, decode_s = load_question(options)
    engine = load_engine(options)
    intervention = DropRedundant() if options.drop_redundant else None
    for event in engine.stream(clip, **asked(options), intervention=intervention):
        if isinstance(event, TextDelta) and not options.json:
            print(event.text, end="", flush=True)
        elif isinstance(event, Answer):
            answer = replace(event, timings=event.timings.after_decoding(decode_s))
            print(json.dumps(answer.to_json(), ensure_ascii=False) if options.json else "")
            if event.trace.unheard and not options.json:
                print(
                    "Every audio token was redundant: this was answered without hearing the clip.",
                    file=sys.stderr,
                )


def run_table(options: argparse.Namespace) -> None:
    from usam.engine.batch import read_table, run_batch
    from usam.schema.interventions import DropRedundant

    if options.clip is not None or options.start is not None or options.end is not None:
        options.usage("--batch takes clips and questions from its table, and hears them from their start")
    output = options.out or options.batch.with_suffix(".jsonl")
    given = {name: getattr(options, name) for name in ("seed", "temperature", "max_new_tokens")}
    if options.drop_redundant:
        given["intervention"] = DropRedundant()
    rows = read_table(options.batch, options.task)
    outcome = run_batch(options.batch, output, rows, lambda: load_engine(options), progress, **given)
    if outcome.refused:
        raise RequestError(
            f"{outcome.refused} of {len(rows)} rows were refused; their lines in {output.name} say why."
        )
    if not options.json:
        print(f"{outcome.answered} answers in {output}")


def run_intervene(options: argparse.Namespace) -> None:
    from usam.interpretability.intervention import intervene

    intervention = chosen(options)
    clip, _ = load_question(options)
    engine = load_engine(options)
    result = intervene(engine, clip, engine.ask(clip, **asked(options)), intervention)
    print(json.dumps(result.to_json(), ensure_ascii=False) if options.json else result.summary())


def run_deletion_test(options: argparse.Namespace) -> None:
    from usam.interpretability.deletion import check, deletion_test

    check(options.seeds, options.reference)
    clip, _ = load_question(options)
    engine = load_engine(options)
    baseline = engine.ask(clip, **asked(options))
    result = deletion_test(engine, clip, baseline, options.seeds, options.reference)
    print(json.dumps(result.to_json(), ensure_ascii=False) if options.json else result.table())


def run_attribute(options: argparse.Namespace) -> None:
    from usam.interpretability.attribution import attribute

    clip, _ = load_question(options)
    engine = load_engine(options)
    group = engine.config.queries_per_window if options.group is None else options.group
    found = attribute(engine, clip, engine.ask(clip, **asked(options)), group, progress)
    record = {"answer": found.answer.text, **found.to_json()}
    print(json.dumps(record, ensure_ascii=False) if options.json else found.table())


def load_question(options: argparse.Namespace) -> tuple[Any, float]:
    """The clip to ask about and the seconds it took to read it.

    A bad clip or question is said here, before the model is loaded.
    """
    from usam.audio.clip import load_clip
    from usam.schema.tasks import check_question

    check_question(options.question, options.task)
    began = time.monotonic()
    return load_clip(options.clip, options.start, options.end), time.monotonic() - began


def asked(options: argparse.Namespace) -> dict[str, Any]:
    """What to ask, as the options of `Engine.ask`."""
    names = ("question", "task", "seed", "temperature", "max_new_tokens")
    return {name: getattr(options, name) for name in names}


def chosen(options: argparse.Namespace) -> Any:
    """The intervention the options name. Raises RequestError."""
    from usam.schema import interventions

    if options.force_expert is not None:
        return interventions.ForceExpert(options.force_expert)
    if options.drop_span is not None:
        return interventions.DropSpan(*options.drop_span)
    if options.uniform:
        return interventions.Uniform()
    if options.keep:
        return interventions.KeepRedundant()
    return (
        interventions.DropRandom(options.seed) if options.drop == "random" else interventions.DropRedundant()
    )


def run_eval(options: argparse.Namespace) -> None:
    try:
        from usam.data.splits import read_heldout
        from usam.evaluation import Options, evaluate, table, write
    except ImportError as error:
        raise RequestError(
            "The evaluation needs what requirements-dev.txt names; install that first."
        ) from error

    def report(message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    engine = load_engine(options)
    result = evaluate(
        engine,
        Options(
            data=options.data,
            limit=options.limit,
            heldout=read_heldout(options.heldout),
            baselines=options.baselines,
            ablations=options.ablations,
            work=options.work,
            packages=options.packages,
        ),
        report,
    )
    if options.write:
        write(result, engine.checkpoint)
    print(json.dumps(result, ensure_ascii=False, indent=2) if options.json else table(result))


def run_train(options: argparse.Namespace) -> None:
    from usam.data.splits import read_heldout
    from usam.training.pipeline import TrainingOptions, run_training
    from usam.training.trainer import Budget

    steps = (options.direct_steps, options.tokens_steps, options.align_steps, options.instruct_steps)
    direct, tokens, align, instruct = (Budget(steps=count) for count in steps)
    if options.minutes is not None:
        shares = (0.05, 0.03, 0.42, 0.5)
        direct, tokens, align, instruct = (Budget(minutes=options.minutes * share) for share in shares)
    run_training(
        TrainingOptions(
            corpus=options.data,
            work=options.work,
            output=options.output,
            synthesis=options.synthesis,
            packages=options.packages,
            rendered=options.rendered,
            start=options.start,
            heldout=read_heldout(options.heldout),
            direct=direct,
            tokens=tokens,
            align=align,
            instruct=instruct,
            teacher=not options.no_teacher,
            seed=options.seed,
        )
    )


def run_health(options: argparse.Namespace) -> None:
    engine = load_engine(options)
    health = engine.health()
    print(json.dumps(health, indent=2) if options.json else "\n".join(f"{k}: {v}" for k, v in health.items()))


def run_bench(options: argparse.Namespace) -> None:
    from usam.benchmark.decoders import bench, table

    found = bench(options.rounds, options.tokens, options.data)
    if options.plot is not None:
        from usam.benchmark.plot import plot

        plot(found, options.plot)
    print(json.dumps(found) if options.json else table(found))


def run_weights(options: argparse.Namespace) -> None:
    from usam.weights.cache import fetch, verify

    paths = fetch(options.preset, lambda message, share: print(f"{share:4.0%} {message}", flush=True))
    if options.verify:
        verify(options.preset)
        print("Every file matches its hash.")
    print("\n".join(f"{role}: {path}" for role, path in [*paths.encoders.items(), ("language", paths.llm)]))
