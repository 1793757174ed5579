"""Many people rating at once through the running app: how long a save takes, and whether each one is kept.

    python -m benchmarks.raters [--people 50] [--saves 10] [--pause 5]

The app runs in a process of its own, without a model: ratings do not need one.
"""

import argparse
import multiprocessing
import random
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import psutil

from storage import Feedback, open_database
from ui.settings import Settings, sqlite_url

ANSWERS = 25  # that everybody rates in turn


def serve(settings: Settings, ready: Connection) -> None:
    """The app on a free port; sends its address."""
    from ui.build import build

    app = build(settings, load_engine=lambda progress: threading.Event().wait())  # type: ignore[arg-type, return-value]
    ready.send(app.launch(prevent_thread_lock=True, quiet=True))
    threading.Event().wait()


def record(number: int) -> dict[str, Any]:
    """An answer to rate, with a trace of a length that real ones have."""
    token = {"start": 0.0, "end": 0.08, "routing": [0.2, 0.3, 0.5], "significance": 0.5, "redundant": False}
    return {
        "answer": f"answer {number}",
        "task": "qa",
        "question": "What do you hear?",
        "heard": {"start": 0.0, "end": 10.0, "duration": 10.0, "sha256": f"{number:064x}"},
        "timings": {},
        "model": {"preset": "mini", "fingerprint": "f00d", "quantization": "nf4", "device": "cpu"},
        "prompt": "",
        "seed": number,
        "experts": ["speech", "sound", "music"],
        "tokens": [token] * 125,
    }


def rate(client: httpx.Client, answer: str, person: str, comment: str) -> float:
    """Save one rating over HTTP, in a session as every page and client has one; returns the seconds until it
    was acknowledged."""
    began = time.perf_counter()
    data = [answer, person, random.choice((-1, 1)), random.randint(1, 5), None, comment, None, None]
    client.post("/gradio_api/run/rate", json={"data": data, "session_hash": person}).raise_for_status()
    return time.perf_counter() - began


def person(url: str, name: str, answers: list[str], saves: int, pause: float) -> tuple[list[float], int]:
    """One person's session: (seconds of each save, how many failed)."""
    draw, times, failed = random.Random(name), [], 0
    with httpx.Client(base_url=url, timeout=60) as client:
        for number in range(saves):
            time.sleep(draw.uniform(0, 2 * pause))
            try:
                times.append(rate(client, answers[number % len(answers)], name, f"{name} {number}"))
            except httpx.HTTPError as error:
                print(f"{name}: {error!r}")
                failed += 1
    return times, failed


def measure(people: int, saves: int, pause: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(Path(scratch), sqlite_url(Path(scratch)), per_minute=0)
        feedback = Feedback(open_database(settings.database_url))
        answers = [feedback.record_answer(record(n), annotator=None) for n in range(ANSWERS)]
        here, there = multiprocessing.Pipe()
        app = multiprocessing.get_context("spawn").Process(target=serve, args=(settings, there), daemon=True)
        app.start()
        try:
            url = here.recv()
            server = psutil.Process(app.pid)
            work = sum(server.cpu_times()[:2])
            names = [f"person-{n}" for n in range(people)]
            with ThreadPoolExecutor(people) as pool:
                measured = list(pool.map(lambda name: person(url, name, answers, saves, pause), names))
            work = 1000 * (sum(server.cpu_times()[:2]) - work)
        finally:
            app.kill()
            app.join()
        times = [1000 * seconds for times_of_one, _ in measured for seconds in times_of_one]
        lost, doubled = kept(feedback, names, answers, saves)
        feedback.database.close()
    print(f"{people} people, {saves} saves each, {pause:g} s between them on average")
    p95, failed = statistics.quantiles(times, n=20)[-1], sum(count for _, count in measured)
    print(f"save: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, longest {max(times):.0f} ms")
    print(f"processor time of the app: {work / len(times):.1f} ms a save")
    print(f"failed {failed}, lost {lost}, doubled {doubled} of {people * saves}")


def kept(feedback: Feedback, names: list[str], answers: list[str], saves: int) -> tuple[int, int]:
    """How many saves are not in the history, and how many stand in it more than once."""
    lost = doubled = 0
    for name in names:
        found = [revision.comment for answer in answers for revision in feedback.history(answer, name)]
        wanted = {f"{name} {number}" for number in range(saves)}
        lost += len(wanted - set(found))
        doubled += len(found) - len(set(found))
    return lost, doubled


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.raters", description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=50, metavar="N")
    parser.add_argument("--saves", type=int, default=10, metavar="N", help="ratings of each person")
    parser.add_argument(
        "--pause", type=float, default=5.0, metavar="S", help="mean seconds between a person's saves"
    )
    arguments = parser.parse_args()
    measure(arguments.people, arguments.saves, arguments.pause)


if __name__ == "__main__":
    main()
