"""`python -m storage`: export, back up, restore, forget, prune, run projects. Exit status 2 and one line on
stderr on failure."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from storage.annotation.project_commands import add_project_commands, run_project_command
from storage.database.connection import open_database
from storage.errors import StorageError
from storage.export import FORMATS, export
from storage.maintenance.erasure import Erasure
from storage.maintenance.retention import prune
from storage.ratings.validation import DIMENSIONS, checked_names


class Parser(argparse.ArgumentParser):
    """Reports a usage error in one line; `--help` has the rest."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m storage", description="Export, back up and delete people's ratings of the answers."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export", help="write tables or training data")
    exporting.add_argument("--format", required=True, choices=FORMATS)
    exporting.add_argument("--out", required=True, metavar="DIR")
    exporting.add_argument("--project", metavar="NAME", help="only what a project's items were given")
    exporting.add_argument("--audit", action="store_true", help="also measure biases, into DIR/audit.json")
    commands.add_parser("backup", help="copy the live database").add_argument("file", metavar="FILE")
    commands.add_parser("restore", help="replace the database with a backup").add_argument(
        "file", metavar="FILE"
    )
    forgetting = commands.add_parser("forget", help="delete everything of a person, or about a clip")
    what = forgetting.add_mutually_exclusive_group(required=True)
    what.add_argument("--annotator", metavar="ID")
    what.add_argument("--audio", metavar="SHA256")
    forgetting.add_argument(
        "--keep-judged",
        action="store_true",
        help="keep a person's answers that others judged, under nobody's name",
    )
    pruning = commands.add_parser("prune", help="delete answers above an age, with all their ratings")
    pruning.add_argument(
        "--days", type=float, metavar="N", help="the age in days (default: the setting USAM_RETENTION_DAYS)"
    )
    add_project_commands(commands.add_parser("project", help="make, watch and close what a team rates"))
    return parser


def run(arguments: argparse.Namespace) -> str:
    """Run the command; returns what to print. Raises StorageError."""
    database = open_database()
    try:
        match arguments.command:
            case "export":
                names = _dimensions()
                done = export(
                    database,
                    arguments.format,
                    arguments.out,
                    audit=arguments.audit,
                    dimensions=names,
                    project=arguments.project,
                )
                return str(done)
            case "project":
                return run_project_command(database, arguments)
            case "backup":
                return f"saved to {database.backup(arguments.file)}"
            case "restore":
                database.restore(arguments.file)
                return f"restored from {arguments.file}"
            case "prune":
                return f"deleted {prune(database, _days(arguments.days))}"
            case _:
                gone = Erasure(database).forget(
                    annotator=arguments.annotator, audio=arguments.audio, keep_judged=arguments.keep_judged
                )
                known = f"\nCheckpoints that learned from this person name {gone.annotator} in tuning.json."
                return f"deleted {gone}" + (known if gone.annotator else "")
    finally:
        database.close()


def _dimensions() -> tuple[str, ...]:
    text = os.environ.get("USAM_DIMENSIONS")
    return DIMENSIONS if text is None else checked_names(text, "dimension")


def _days(given: float | None) -> float:
    try:
        return given if given is not None else float(os.environ.get("USAM_RETENTION_DAYS") or "none")
    except ValueError as error:
        raise StorageError("Give --days, or set USAM_RETENTION_DAYS to a number of days.") from error


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        print(run(arguments))
    except StorageError as error:
        print(f"python -m storage: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
