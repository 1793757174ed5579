"""`python -m tests.hostile`: the decoder against every hostile file. Status 1 if one of them did harm.

The second round must leave the process with the memory, threads and open files it had after the first.
"""

import argparse
import faulthandler
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from tests.hostile.corpus import Case, corpus
from tests.hostile.judge import judge, open_files, restart_peak

MAX_LEAK = 32.0
"""MB that a round of a warm process may add."""
HANGS_AFTER = 120.0
"""Seconds on one file, after which the process ends itself and says where it is."""


def main() -> int:
    options = parser().parse_args()
    cases = [case for case in corpus() if options.only in f"{case.family}/{case.name}"]
    print(f"{len(cases)} hostile files")
    faults = attack(cases, report=True)
    if not options.once:
        before = held()
        faults += attack(cases)
        after = held()
        told = [f"{name} {before[name]:.0f} to {after[name]:.0f}" for name in before]
        print("Round two: " + ", ".join(told))
        faults += after["MB"] > before["MB"] + MAX_LEAK
        faults += sum(after[name] > before[name] for name in ("threads", "open files"))
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


def held() -> dict[str, float]:
    """What the process holds on to."""
    return {"MB": restart_peak(), "threads": threading.active_count(), "open files": open_files()}


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="files whose family/name holds this")
    parser.add_argument("--once", action="store_true", help="one round, without the look for leaks")
    return parser


if __name__ == "__main__":
    sys.exit(main())
