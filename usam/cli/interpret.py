"""`usam intervene|deletion-test|attribute`: tests on one answer."""

import argparse
from typing import Any

from usam.cli import options as shared


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    change = commands.add_parser(
        "intervene", help="answer, change the audio tokens, answer again, and compare"
    )
    changes = change.add_mutually_exclusive_group(required=True)
    changes.add_argument("--force-expert", type=int, metavar="E", help="one expert alone; the first is 0")
    changes.add_argument("--uniform", action="store_true", help="all experts equally")
    changes.add_argument(
        "--read-all", action="store_true", help="every token, also what the checkpoint leaves out by itself"
    )
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
        "attribute", help="which part of the clip each word of the answer depended on"
    )
    leaning.add_argument("--group", type=int, help="audio tokens occluded at a time; by default a window's")
    leaning.set_defaults(run=run_attribute)

    for command in (change, deletion, leaning):
        shared.add_question_options(command)
        shared.add_engine_options(command)


def run_intervene(options: argparse.Namespace) -> None:
    from usam.interpretability.intervention import intervene

    intervention = chosen(options)
    clip, _ = shared.load_question(options)
    engine = shared.load_engine(options)
    result = intervene(engine, clip, engine.ask(clip, **shared.question_options(options)), intervention)
    print(shared.dump(result.to_json()) if options.json else result.summary())


def run_deletion_test(options: argparse.Namespace) -> None:
    from usam.interpretability.deletion import check, deletion_test

    check(options.seeds, options.reference)
    clip, _ = shared.load_question(options)
    engine = shared.load_engine(options)
    baseline = engine.ask(clip, **shared.question_options(options))
    result = deletion_test(engine, clip, baseline, options.seeds, options.reference)
    print(shared.dump(result.to_json()) if options.json else result.table())


def run_attribute(options: argparse.Namespace) -> None:
    from usam.interpretability.attribution import attribute

    clip, _ = shared.load_question(options)
    engine = shared.load_engine(options)
    group = engine.config.queries_per_window if options.group is None else options.group
    found = attribute(
        engine, clip, engine.ask(clip, **shared.question_options(options)), group, shared.progress
    )
    record = {"answer": found.answer.text, **found.to_json()}
    print(shared.dump(record) if options.json else found.table())


def chosen(options: argparse.Namespace) -> Any:
    """The intervention the options name. Raises RequestError."""
    from usam.schema import interventions

    if options.force_expert is not None:
        return interventions.ForceExpert(options.force_expert)
    if options.drop_span is not None:
        return interventions.DropSpan(*options.drop_span)
    if options.uniform:
        return interventions.Uniform()
    if options.read_all:
        return interventions.ReadAll()
    if options.keep:
        return interventions.KeepRedundant()
    return (
        interventions.DropRandom(options.seed) if options.drop == "random" else interventions.DropRedundant()
    )
