"""`usam ask`: answer a question about a clip, or a table of them."""

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from usam.cli import options as shared
from usam.errors import RequestError

if TYPE_CHECKING:
    from usam.engine.batch import Outcome, Row
    from usam.schema.interventions import Intervention


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ask = commands.add_parser("ask", help="answer a question about a clip")
    read = ask.add_mutually_exclusive_group()
    read.add_argument(
        "--drop-redundant",
        action="store_true",
        help="drop the audio tokens that are redundant under the question, before the model reads them",
    )
    read.add_argument(
        "--read-all",
        action="store_true",
        help="read every audio token, also where the checkpoint drops redundant ones by itself",
    )
    ask.add_argument(
        "--batch",
        type=Path,
        metavar="TABLE",
        help="ask about every row (columns path, question, task) of a CSV or Parquet table, or about every "
        "clip of a folder; an interrupted run continues",
    )
    ask.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="output of --batch: JSONL, or Parquet where it ends so; by default JSONL beside the table",
    )
    ask.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="run --batch on the Ray cluster at this address; by default on one of its own on this machine",
    )
    ask.add_argument(
        "--actors",
        type=int,
        metavar="N",
        help="engines of --ray; by default one for each GPU, or for each machine where there is none",
    )
    ask.add_argument(
        "--whole",
        action="store_true",
        help="ask about all of a recording of up to 3 hours: at once if that can be read, else span by span",
    )
    ask.set_defaults(run=run_ask, usage=ask.error)
    shared.add_question_options(ask, clip_needed=False)
    shared.add_engine_options(ask)


def run_ask(options: argparse.Namespace) -> None:
    from usam.schema.answer import Answer
    from usam.schema.events import TextDelta

    if options.batch:
        run_table(options)
        return
    if options.clip is None or options.out:
        options.usage("a clip is needed, or --batch, which alone takes --out")
    if options.whole:
        run_whole(options)
        return
    clip, decode_s = shared.load_question(options)
    engine = shared.load_engine(options)
    intervention = chosen(options)
    for event in engine.stream(clip, **shared.question_options(options), intervention=intervention):
        if isinstance(event, TextDelta) and not options.json:
            print(event.text, end="", flush=True)
        elif isinstance(event, Answer):
            answer = replace(event, timings=event.timings.after_decoding(decode_s))
            print(shared.dump(answer.to_json()) if options.json else "")
            if answer.cut_short and not options.json:
                print(answer.cut_short, file=sys.stderr)
            if event.trace.without_audio and not options.json:
                print(
                    "Every audio token was redundant: the model answered without audio.",
                    file=sys.stderr,
                )


def run_whole(options: argparse.Namespace) -> None:
    from usam.audio.clip import load_clip
    from usam.schema.events import TextDelta
    from usam.schema.recording_answer import RecordingAnswer, SpanAnswer, SpanEncoded, clock
    from usam.schema.tasks import check_question

    if options.start is not None or options.end is not None or chosen(options):
        options.usage("--whole takes no span, and the model reads what is not redundant")
    check_question(options.question, options.task)
    load_clip(options.clip)  # what cannot be heard is refused before the model is loaded
    engine = shared.load_engine(options)
    for event in engine.ask_recording(options.clip, **shared.question_options(options)):
        if isinstance(event, SpanEncoded):
            shared.progress(f"Heard {event.end:.0f} of {event.duration:.0f} s,", event.end / event.duration)
        elif isinstance(event, SpanAnswer) and not options.json:
            print(f"{clock(event.start)}-{clock(event.end)} {event.text}", file=sys.stderr)
        elif isinstance(event, TextDelta) and not options.json:
            print(event.text, end="", flush=True)
        elif isinstance(event, RecordingAnswer):
            print(shared.dump(event.to_json()) if options.json else "")
            if not options.json:
                leans = ", ".join(f"{clock(one.start)}-{clock(one.end)}" for one in event.leans_on)
                how = "all of it at once" if event.way == "whole" else "span by span"
                print(f"Read {how}; leans on {leans or 'no span in particular'}.", file=sys.stderr)


def chosen(options: argparse.Namespace) -> "Intervention | None":
    """Which tokens are read, where the options say so."""
    from usam.schema.interventions import DropRedundant, ReadAll

    if options.read_all:
        return ReadAll()
    return DropRedundant() if options.drop_redundant else None


def run_table(options: argparse.Namespace) -> None:
    from usam.engine.batch import rows_of, run_batch, write_parquet

    if options.clip is not None or options.start is not None or options.end is not None:
        options.usage(
            "--batch takes clips and questions from its table, and starts at the beginning of each clip"
        )
    if options.actors is not None and (options.ray is None or options.actors < 1):
        options.usage("--actors is at least 1, and goes with --ray")
    output = options.out or options.batch.with_suffix(".jsonl")
    table, output = output, output.with_suffix(".jsonl") if output.suffix == ".parquet" else output
    given = {name: getattr(options, name) for name in ("seed", "temperature", "max_new_tokens")}
    if intervention := chosen(options):
        given["intervention"] = intervention
    rows = rows_of(options.batch, options.task, options.question or "")
    if options.ray:
        outcome = _on_ray(options, output, rows, given)
    else:
        outcome = run_batch(
            options.batch, output, rows, lambda: shared.load_engine(options), shared.progress, **given
        )
    if table != output:
        write_parquet(output, table, rows)
    if outcome.refused:
        raise RequestError(
            f"{outcome.refused} of {len(rows)} rows were refused; their lines in {output.name} say why."
        )
    if not options.json:
        print(f"{outcome.answered} answers in {table}")


def _on_ray(options: argparse.Namespace, output: Path, rows: "list[Row]", given: dict[str, Any]) -> "Outcome":
    from usam.engine.ray_batch import run_on_ray

    load = partial(shared.load_engine, argparse.Namespace(**shared.engine_options(options)))
    with shared.needs("ray"):
        return run_on_ray(
            options.batch,
            output,
            rows,
            load,
            shared.progress,
            address=options.ray,
            actors=options.actors,
            **given,
        )
