"""Many visitors at once on the running app, for minutes: what breaks, what is lost, what grows.

    python -m benchmarks.endurance [--minutes 10] [--visitors 20]
    python -m benchmarks.endurance --requests 500 --visitors 4

Each visitor opens the page, asks, rates, looks around, presses Stop, reloads, closes the tab while an answer
is written; one more never reads what it is sent. Half-way the app is killed and started again. With
`--requests` it is not: what one process holds is compared over that many requests.

The app is `app.py` with the real model and a data folder of its own, on this machine's loopback alone.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.endurance.ledger import Ledger, compare
from benchmarks.endurance.server import Reading, Server
from benchmarks.endurance.visitors import Budget, Visitor, read_nothing
from benchmarks.endurance.watch import Watch

MOST = {"minutes": 120, "visitors": 200, "requests": 100_000, "pause": 60}
SETTLE_SECONDS = 20.0  # until connections of those who left are closed


def endure(
    server: Server, visitors: int, budget: Budget, seconds: float, *, kill: bool, pause: float
) -> Ledger:
    """Run the visitors; returns what happened. The server must be running, and still runs at the end.

    seconds: after which everybody goes.  kill: whether the server is killed after half of them.
    """
    ledger = Ledger(server)
    people = [Visitor(number, ledger, budget, pause) for number in range(visitors)]
    with ThreadPoolExecutor(visitors + 1) as pool:
        runs = [pool.submit(person.run) for person in people]
        runs.append(pool.submit(read_nothing, ledger, budget))
        deadline = time.monotonic() + seconds
        try:
            if kill:
                budget.over.wait(seconds / 2)
                server.kill()
                print(f"killed, and ready again {server.start():.1f} s after the start", flush=True)
            while not budget.spent(ledger) and time.monotonic() < deadline:
                time.sleep(0.2)
        finally:
            budget.over.set()
        for visit in runs:
            visit.result()
    return ledger


def report(ledger: Ledger, watch: Watch, after: Reading) -> bool:
    """Print the figures; returns whether nothing broke and nothing was lost."""
    found = compare(ledger, ledger.server.data / "feedback.db")
    print("done: " + ", ".join(f"{name} {count}" for name, count in ledger.done.most_common()))
    print(f"errors: {len(ledger.errors)}; cut short by the kill: {ledger.cut_by_outage}")
    for line in ledger.errors[:20]:
        print(f"  {line}")
    print(f"limits met: {sum(ledger.limits.values())}")
    for line, times in ledger.limits.most_common(5):
        print(f"  {times} x {line}")
    print(f"ratings: {len(ledger.saved)} acknowledged, {len(found.lost)} lost; database whole: {found.sound}")
    left = len(ledger.left)
    print(f"streams cut while writing: {left}, written to the end all the same: {len(found.went_on)}")
    if len(ledger.answers) > 1:
        longest = max(ledger.answers)
        print(f"answers: median {statistics.median(ledger.answers):.1f} s, longest {longest:.1f} s")
    streaming = sum(busy for _, busy in ledger.pages)
    print(f"page while answers stream: p95 {1000 * ledger.p95():.0f} ms of {streaming} loads")
    for number, life in enumerate(watch.lives()):
        for share in (0, 1 / 4, 1 / 2, 3 / 4, 1):
            at, reading = life[round(share * (len(life) - 1))]
            print(f"  process {number + 1} {at:5.0f} s  {reading}")
    print(f"  all have left      {after}")
    return not ledger.errors and not found.lost and not found.went_on and found.sound


def main() -> int:
    arguments = parser().parse_args()
    check(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(Path(scratch))
        try:
            print(f"ready after {server.start():.1f} s; without visitors: {server.read()}", flush=True)
            watch = Watch(server)
            budget = Budget(threading.Event(), arguments.requests)
            with watch.watching():
                ledger = endure(
                    server,
                    arguments.visitors,
                    budget,
                    60 * arguments.minutes,
                    kill=arguments.requests is None,
                    pause=arguments.pause,
                )
            time.sleep(SETTLE_SECONDS)
            good = report(ledger, watch, server.read())
            if crashes := server.log.split("Traceback (most recent call last)")[1:]:
                print(f"the log has {len(crashes)} tracebacks, the first of them:{crashes[0][-2000:]}")
                good = False
        finally:
            server.close()
    return 0 if good else 1


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.endurance", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N")
    parser.add_argument("--visitors", type=int, default=20, metavar="N")
    parser.add_argument("--requests", type=int, metavar="N", help="end after so many, without a kill")
    parser.add_argument(
        "--pause", type=float, default=3.0, metavar="S", help="mean seconds between a visitor's requests"
    )
    return parser


def check(arguments: argparse.Namespace) -> None:
    """Refuse values that would run for days. Raises SystemExit."""
    for name, most in MOST.items():
        value = getattr(arguments, name)
        if value is not None and not 0 < value <= most:
            sys.exit(f"--{name} has to be more than 0 and at most {most}.")


if __name__ == "__main__":
    sys.exit(main())
