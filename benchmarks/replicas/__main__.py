"""Two replicas of the app behind nginx on one PostgreSQL: what breaks, is lost or comes double when one dies.

    python -m benchmarks.replicas [--minutes 10] [--visitors 40] [--json]

Three of five visitors ask and rate, by page and by API; the others annotate what was asked. After a third of
the time one replica is killed, and started again at half of it. `errors` counts what failed and is no limit's
message and not cut short by the kill; `lost` and `doubled` acknowledged ratings; `leases_lost` answers that
two people had before them at once, or that did not come back after their page was lost. All four have to be
0.

nginx and PostgreSQL have to be installed; everything runs on this machine's loopback, with data of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from benchmarks.endurance.server import ROOT
from benchmarks.endurance.visitors import Budget
from benchmarks.raters import record
from benchmarks.replicas.cluster import Cluster
from benchmarks.replicas.visitors import Annotator, ReplicaLedger, ReplicaVisitor
from storage import Database, Feedback, now, open_database
from storage.annotation.leases import LEASE_TIME
from storage.annotation.queue import Queue

POSTGRESQL = "USAM_TEST_POSTGRESQL"
ANSWERS = 300  # to annotate from the start


def main() -> int:
    arguments = parser().parse_args()
    if not os.environ.get(POSTGRESQL):
        script = str(ROOT / "scripts" / "postgresql.sh")
        os.execv(script, [script, sys.executable, "-m", "benchmarks.replicas", *sys.argv[1:]])
    with tempfile.TemporaryDirectory() as scratch:
        result = measure(
            Path(scratch),
            tuple(arguments.app.split()),
            arguments.minutes,
            arguments.visitors,
            arguments.pause,
        )
    errors = result.pop("messages")
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name.replace('_', ' ')}: {value}")
    for line in errors[:20]:
        print(line, file=sys.stderr)
    return 1 if any(result[name] for name in ("errors", "lost", "doubled", "leases_lost")) else 0


def measure(
    folder: Path, command: tuple[str, ...], minutes: float, visitors: int, pause: float
) -> dict[str, Any]:
    """The figures, and `messages`: what went wrong, in words."""
    url = _schema()
    database = open_database(url, storage=str(folder / "shared"))
    feedback = Feedback(database)
    for number in range(ANSWERS):
        feedback.record_answer(record(number), annotator=None)
    cluster = Cluster(folder, url, command)
    try:
        ready = cluster.start()
        ledger, back = _visit(cluster, minutes, visitors, pause)
        crashes = _crashes(cluster.log)
    finally:
        cluster.close()
    lost, doubled = _compare(database, ledger)
    missing = _not_back(database, ledger)
    database.close()
    messages = [
        *ledger.errors,
        *(f"the log has a traceback: {crash[-800:]}" for crash in crashes),
        *(f"lost: {comment}" for comment in lost),
        *(f"doubled: {comment}" for comment in doubled),
        *ledger.leases.broken,
        *(f"not offered any more: {answer}" for answer in missing),
    ]
    return {
        "errors": len(ledger.errors) + len(crashes),
        "lost": len(lost),
        "doubled": len(doubled),
        "leases_lost": len(ledger.leases.broken) + len(missing),
        "ratings": len(ledger.saved),
        "annotated": sum(ledger.leases.shown.values()),
        "limits": sum(ledger.limits.values()),
        "cut_short_by_the_kill": ledger.cut_by_outage,
        "done": dict(ledger.done.most_common()),
        "median_answer_s": round(statistics.median(ledger.answers), 2) if ledger.answers else None,
        "ready_after_s": round(max(ready.values()), 1),
        "ready_again_after_s": round(back, 1),
        "messages": messages,
    }


def _visit(cluster: Cluster, minutes: float, visitors: int, pause: float) -> tuple[ReplicaLedger, float]:
    """Also the seconds that the killed replica took to be ready again."""
    ledger, budget = ReplicaLedger(cluster), Budget(threading.Event())
    kinds = (ReplicaVisitor, Annotator, ReplicaVisitor, Annotator, ReplicaVisitor)
    people = [kinds[number % 5](number, ledger, budget, pause) for number in range(visitors)]
    with ThreadPoolExecutor(visitors) as pool:
        runs = [pool.submit(person.run) for person in people]
        try:
            budget.over.wait(60 * minutes / 3)
            cluster.kill("a")
            budget.over.wait(60 * minutes / 6)
            back = cluster.restart("a")
            budget.over.wait(max(0.0, 60 * minutes / 2 - back))
        finally:
            budget.over.set()
        for run in runs:
            run.result()
    return ledger, back


def _crashes(log: str) -> list[str]:
    """The tracebacks in a log, but for one kind: a page whose replica was killed asks another one for what it
    streams. There Gradio says "not found" after its response has begun, so that its server logs both."""
    found: list[str] = []
    unknown_page = False
    for crash in log.split("Traceback (most recent call last)")[1:]:
        follows = unknown_page and "response already started" in crash
        unknown_page = "in sse_stream" in crash and "404: Not Found" in crash
        if not (unknown_page or follows):
            found.append(crash)
    return found


def _compare(database: Database, ledger: ReplicaLedger) -> tuple[list[str], list[str]]:
    """Acknowledged ratings that are not in the database, and ratings that are there more than once."""
    with database.read() as session:
        rows = session.execute(text("SELECT comment FROM rating_revisions WHERE comment IS NOT NULL"))
        kept = Counter(comment for (comment,) in rows)
    return sorted(ledger.saved - set(kept)), [comment for comment, count in kept.items() if count > 1]


def _not_back(database: Database, ledger: ReplicaLedger) -> list[str]:
    """Answers that somebody had before them and that are not offered to a new person, once all leases have
    had their time."""
    with database.write() as session:
        late = now() + LEASE_TIME
        held = session.execute(text("SELECT count(*) FROM leases WHERE until > :late"), {"late": late})
        assert held.scalar() == 0, "no lease is longer"
        session.execute(text("UPDATE leases SET until = :past"), {"past": now() - timedelta(seconds=1)})
    offered = Queue(database).upcoming("somebody new", audio_only=False, limit=100_000, page="new")
    return sorted(set(ledger.leases.shown) - set(offered))


def _schema() -> str:
    """A place of its own in the database that USAM_TEST_POSTGRESQL names."""
    server, name = os.environ[POSTGRESQL], f"replicas_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    inside = make_url(server).update_query_dict({"options": f"-csearch_path={name}"})
    return inside.render_as_string(hide_password=False)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicas", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N")
    parser.add_argument("--visitors", type=int, default=40, metavar="N")
    parser.add_argument(
        "--pause", type=float, default=3.0, metavar="S", help="mean seconds between two things"
    )
    parser.add_argument("--app", default="app.py", help="what Python runs as the app")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
