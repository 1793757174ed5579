"""`python -m ui import`: the model answers about a folder or a table of clips, for people to rate.

Needs no running app, and can run beside one. Exit status 2 and one line on stderr on failure.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as app.py does

from storage import Feedback, StorageError, open_database
from storage.annotation.imports import Added
from ui.build import engine_of
from ui.components.messages import counted
from ui.engines.loader import EngineLoader
from ui.settings import Settings
from ui.studio.projects.importer import ELSEWHERE, ImportState
from ui.studio.projects.sources import items_of
from ui.studio.service import Studio
from usam.errors import UsamError
from usam.schema.tasks import TASKS

STOPPED = "Somebody stopped the import before its end; the same command goes on."


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ui", description="Work on the app's data without its page."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    importing = commands.add_parser(
        "import", help="ask about clips, which become items of a project; an interrupted import continues"
    )
    importing.add_argument("project", metavar="PROJECT", help="made before, by `python -m storage project`")
    importing.add_argument("source", type=Path, metavar="FOLDER|TABLE")
    importing.add_argument("--task", choices=sorted(TASKS), default="qa", help="of clips without one")
    importing.add_argument("--question", default="", help="about each clip of a folder (default: the task's)")
    importing.add_argument("--retry", action="store_true", help="also ask again about clips that failed")
    return parser


def run(arguments: argparse.Namespace, studio: Studio) -> int:
    """Returns the exit status. Raises UsamError, StorageError."""
    importer, project = studio.importer, arguments.project
    items = items_of(arguments.source, arguments.task, arguments.question)
    added: Added = importer.imports.add(project, items)
    if arguments.retry:
        importer.imports.retry(project)
    print(f"{counted(added.added, 'clip')} to ask about, {added.known} there already")
    try:
        importer.run(_report)
    except KeyboardInterrupt:
        importer.imports.stop()  # or another process would go on
        raise
    state = importer.state
    if state.elsewhere or state.ended or state.left:
        raise StorageError(ELSEWHERE if state.elsewhere else state.ended or STOPPED)
    failures = importer.imports.failures(project)
    for item in failures:
        print(f"{item.source}: {item.error}", file=sys.stderr)
    return 2 if failures else 0


def _report(state: ImportState) -> None:
    if state.running:
        left = "" if state.seconds_left is None else f", about {state.seconds_left / 60:.0f} min left"
        of = state.done + state.left
        print(f"{state.done + 1} of {of}: {state.source}{left}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        settings = Settings.from_environment()
        database = open_database(settings.database_url, storage=settings.storage)
        try:
            loader = EngineLoader(engine_of(settings))
            return run(arguments, Studio(loader, Feedback(database), settings))
        finally:
            database.close()
    except (UsamError, StorageError, ValueError) as error:
        print(f"python -m ui: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("python -m ui: stopped; the same command goes on.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
