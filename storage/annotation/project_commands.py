"""`python -m storage project`: everything about projects that needs no model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from storage.annotation.gold import Gold
from storage.annotation.imports import ProjectImports
from storage.annotation.projects import PersonProgress, Projects
from storage.database.connection import Database
from storage.errors import StorageError

UNASSIGN = "all"


def add_project_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", required=True)
    commands.add_parser("list", help="all projects")
    for name, about in (("make", "a new project"), ("change", "another description")):
        described = commands.add_parser(name, help=about)
        described.add_argument("name", metavar="NAME")
        described.add_argument("--guidelines", type=Path, metavar="FILE", help="a text file")
        described.add_argument("--wanted", type=int, metavar="N", help="judgements of each item (default: 1)")
        described.add_argument(
            "--assign",
            nargs="+",
            metavar="ID",
            help=f"ids of annotators it is open to, `{UNASSIGN}` for everyone (the default)",
        )
    for name, about in (
        ("show", "progress, people and their agreement with gold items"),
        ("items", "items with their answers' ids"),
        ("close", "offer its items to nobody"),
        ("open", "offer its items again"),
        ("delete", "delete a closed project; answers and ratings stay"),
    ):
        commands.add_parser(name, help=about).add_argument("name", metavar="NAME")
    gold = commands.add_parser("gold", help="say what is known to be right about an item")
    gold.add_argument("name", metavar="NAME")
    gold.add_argument("answer", metavar="ANSWER", help="the id of the item's answer")
    gold.add_argument(
        "known", metavar="KNOWN", help="good, bad, a score from 1 to 5, a preferred text, or '' for nothing"
    )


def run_project_command(database: Database, arguments: argparse.Namespace) -> str:
    """Returns what to print. Raises StorageError."""
    projects = Projects(database)
    match arguments.action:
        case "list":
            return "\n".join(_line(projects, one.name) for one in projects.all()) or "no projects yet"
        case "make":
            guidelines, assigned = _guidelines(arguments.guidelines) or "", _assigned(arguments.assign)
            projects.make(arguments.name, guidelines, arguments.wanted or 1, assigned)
            return f"made {arguments.name}"
        case "change":
            return _changed(projects, arguments)
        case "show":
            return _shown(projects, ProjectImports(database), arguments.name)
        case "items":
            found = projects.items(arguments.name, limit=1_000_000)
            return "\n".join(
                f"{one.answer_id}  {one.judged:>3}  {one.source}{f'  [{one.gold}]' if one.gold else ''}"
                for one in found
            )
        case "gold":
            projects.set_gold(arguments.name, arguments.answer, Gold.parse(arguments.known))
            return "marked" if arguments.known else "not gold any more"
        case "delete":
            stay = projects.delete(arguments.name)
            return f"deleted {arguments.name}; answers that stay, with their ratings: {stay}"
        case action:
            projects.close(arguments.name, action == "close")
            return f"{arguments.name} is {'closed' if action == 'close' else 'open'}"


def _changed(projects: Projects, arguments: argparse.Namespace) -> str:
    """What is not given stays as it is."""
    now = projects.get(arguments.name)
    guidelines = _guidelines(arguments.guidelines)
    projects.change(
        now.name,
        now.guidelines if guidelines is None else guidelines,
        arguments.wanted or now.wanted,
        projects.members(now.name) if arguments.assign is None else _assigned(arguments.assign),
    )
    return f"changed {now.name}"


def _line(projects: Projects, name: str) -> str:
    project, progress = projects.get(name), projects.progress(name)
    state = "closed" if project.closed else "open"
    return (
        f"{name}: {state}, {progress.done:,} of {progress.items:,} items done, "
        f"{progress.judgements:,} of {progress.judgements_wanted:,} judgements, {progress.gold:,} gold"
    )


def _shown(projects: Projects, imports: ProjectImports, name: str) -> str:
    progress = projects.progress(name)
    lines = [_line(projects, name)]
    if progress.waiting or progress.failed:
        lines.append(f"import: {progress.waiting:,} waiting, {progress.failed:,} failed")
    lines += [f"  {item.source}: {item.error}" for item in imports.failures(name)]
    lines += [_person(person) for person in projects.people(name)]
    return "\n".join(lines)


def _person(person: PersonProgress) -> str:
    who = f"person {person.annotator}" + (f" ({person.name})" if person.name else "")
    gold = person.gold
    low, high = gold.interval
    agreed = (
        f"{gold.agreed} of {gold.judged} gold items right (95 % {low:.2f} to {high:.2f})"
        if gold.judged
        else "no gold item judged"
    )
    return f"{who}: {person.judged:,} judged, {person.skipped:,} skipped, {agreed}"


def _assigned(ids: Sequence[str] | None) -> dict[str, str] | None:
    return None if ids is None or list(ids) == [UNASSIGN] else {id_: "" for id_ in ids}


def _guidelines(file: Path | None) -> str | None:
    try:
        return file.read_text("utf-8") if file else None
    except (OSError, UnicodeError) as error:
        raise StorageError(f"The guidelines cannot be read from {file}: {error}.") from error
