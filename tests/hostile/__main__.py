"""`python -m tests.hostile`: the decoder against every hostile file. Status 1 if one of them did harm.

With `--upload` they go through the running app, which answers with the small engine of the tests. The second
round must leave the process with the memory, threads and open files it had after the first.
"""

import argparse
import faulthandler
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.hostile.corpus import Case, corpus
from tests.hostile.judge import judge, open_files, restart_peak
from tests.hostile.upload import App, running

MAX_LEAK = 32.0
"""MB that a round of a warm process may add."""
POOL = 4
"""Threads and files that a pool may have open or not."""
HANGS_AFTER = 120.0
"""Seconds on one file, after which the process ends itself and says where it is."""


def main() -> int:
    options = parser().parse_args()
    cases = [case for case in corpus() if options.only in f"{case.family}/{case.name}"]
    print(f"{len(cases)} hostile files")
    if options.upload:
        with running() as app:
            return report_faults(send(app, cases), partial(send, app, cases))
    return report_faults(attack(cases, report=True), partial(attack, cases))


def report_faults(faults: int, again: Callable[[], int]) -> int:
    """Do it again, look for leaks, and print how many faults there were; the exit status."""
    before = held()
    faults += again()
    after = held()
    print("Round two: " + ", ".join(f"{name} {before[name]:.0f} to {after[name]:.0f}" for name in before))
    faults += after["MB"] > before["MB"] + MAX_LEAK
    faults += after["threads"] > before["threads"] + POOL
    faults += after["open files"] > before["open files"] + POOL
    print(f"{faults} faults")
    return 1 if faults else 0


def attack(cases: list[Case], report: bool = False) -> int:
    """How many faults the files showed."""
    faults, outcomes = 0, Counter[tuple[str, str]]()
    slowest, largest = 0.0, 0.0
    with tempfile.TemporaryDirectory() as name:
        for case in cases:
            faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
            verdict = judge(case, Path(name))
            outcomes[case.family, "heard" if verdict.outcome == "heard" else "refused"] += 1
            slowest, largest = max(slowest, verdict.seconds), max(largest, verdict.megabytes)
            for fault in verdict.faults:
                print(f"{case.family}/{case.name}: {fault} ({verdict.outcome})")
            faults += len(verdict.faults)
        faulthandler.cancel_dump_traceback_later()
        left = [file.name for file in Path(name).iterdir()]
    if left:
        print(f"left behind: {left}")
    if report:
        for family in dict.fromkeys(case.family for case in cases):
            print(f"{family}: {outcomes[family, 'heard']} heard, {outcomes[family, 'refused']} refused")
        print(f"slowest {slowest:.2f} s, largest {largest:.0f} MB")
    return faults + len(left)


def send(app: App, cases: list[Case]) -> int:
    """How many faults the running app showed."""
    faults = 0
    for case in cases:
        for fault in app.faults(case):
            print(f"{case.family}/{case.name}: {fault}")
            faults += 1
    left = app.left_over()
    if left:
        print(f"left behind: {left}")
    return faults + len(left)


def held() -> dict[str, float]:
    """What the process holds on to."""
    return {"MB": restart_peak(), "threads": threading.active_count(), "open files": open_files()}


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="files whose family/name holds this")
    parser.add_argument("--upload", action="store_true", help="to the running app, over HTTP")
    return parser


if __name__ == "__main__":
    sys.exit(main())
