"""`usam ask|transcribe|intervene|deletion-test|attribute|eval|train|tune|health|bench|weights`.

Exit status 0, or 2 with one plain line on stderr; `tune` has one more.
"""

import os

# Idle OpenMP threads would otherwise spin against the rest of the machine; torch reads this when imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import sys
from collections.abc import Sequence

from usam.cli import ask, interpret, maintain, terminal, train, transcribe, tune
from usam.errors import UsamError


def main(arguments: Sequence[str] | None = None) -> int:
    terminal.prepare()
    options = parser().parse_args(arguments)
    try:
        status: int | None = options.run(options)
    except UsamError as error:
        print(f"usam: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status or 0


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="usam", description=__doc__)
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    for module in (ask, transcribe, interpret, train, tune, maintain):
        module.add_commands(commands)
    return root
