"""How long a person waits for what the pages ask of a database with a million ratings, and the indexes used.

    python -m benchmarks.browse [--ratings 1000000] [--rounds 30] [--explain] [--folder DIR] [--only WORD]

The database is made once in DIR and used again; without DIR it is temporary.
"""

import argparse
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import event

from storage import Database, Feedback, open_database
from storage.analysis.agreement import agreement
from storage.analysis.preference import votes
from storage.analysis.ratings import ratings
from storage.annotation.queue import Queue
from storage.answers.browse import SearchFilter, browse, choices
from ui.pages.dashboard.cards import dashboard

PEOPLE = 200
RATERS = 10  # of each answer
ANNOTATOR = "person-0"
VOCABULARY = 20_000


def fill(file: Path, count: int) -> None:
    """Put `count` ratings of `count / RATERS` answers into the database, each with one revision."""
    draw = random.Random(0)
    answers = count // RATERS
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        people = ((n + 1, f"person-{n}", _time(0)) for n in range(PEOPLE))
        _insert(connection, "annotators", people)
        _insert(connection, "clips", ((f"{n:064x}", 3.0, "audio/clip.wav", _time(n)) for n in range(answers)))
        _insert(connection, "answers", (_answer(n, draw) for n in range(answers)))
        _insert(
            connection,
            "internals",
            (
                (_id(n), draw.random(), draw.choice(("speech", "sound", "music")), draw.random())
                for n in range(answers)
            ),
        )
        judgements = [_judgement(draw) for _ in range(50_000)]
        raters = [draw.sample(range(1, PEOPLE + 1), RATERS) for _ in range(1000)]
        every = [
            (n, i, raters[n % 1000][i], judgements[(n * RATERS + i) % len(judgements)])
            for n in range(answers)
            for i in range(RATERS)
        ]
        _insert(
            connection,
            "ratings",
            (
                (_id(n * RATERS + i), _id(n), who, 1, _time(n), _time(n + i), *what)
                for n, i, who, what in every
            ),
        )
        _insert(
            connection,
            "rating_revisions",
            ((_id(n * RATERS + i), 1, _time(n), None, *what) for n, i, _, what in every),
        )
        connection.execute("ANALYZE")
        connection.commit()


COLUMNS = {
    "annotators": "id, public_id, created_at",
    "clips": "sha256, seconds, audio_path, created_at",
    "answers": "id, clip_sha256, annotator_id, input_hash, audio_kept, heard_start, heard_end, "
    "clip_duration, task, preset, model_fingerprint, quantization, device, seed, temperature, "
    "max_new_tokens, stopped, created_at, question, text, prompt, history, model, timings, trace",
    "internals": "answer_id, router_entropy, dominant_expert, redundant_share",
    "ratings": "id, answer_id, annotator_id, revision, created_at, updated_at, "
    "thumb, score, correction, comment, withdrawn, dimensions, flags",
    "rating_revisions": "rating_id, number, created_at, restores, "
    "thumb, score, correction, comment, withdrawn, dimensions, flags",
}


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    names = COLUMNS[table]
    marks = ", ".join("?" for _ in names.split(","))
    connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def _id(number: int) -> str:
    """A UUID as SQLite holds it; spread out, as random ones are."""
    return UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128).hex


def _time(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(1_750_000_000 + second * 7))


def _answer(n: int, draw: random.Random) -> tuple[Any, ...]:
    tokens = [{"start": i * 0.08, "routing": [0.2, 0.3, 0.5], "redundant": False} for i in range(12)]
    trace = json.dumps({"experts": ["speech", "sound", "music"], "tokens": tokens})
    return (
        _id(n), f"{n:064x}", n % PEOPLE + 1, f"{n // 2:064x}", True, 0.0, 3.0, 3.0,
        draw.choice(("qa", "asr", "aac", "mc")), "mini", "f00dcafe", draw.choice(("nf4", "none")), "cpu",
        n, 0.7, 64, False, _time(n), "What do you hear?", f"{_words(draw, 12)} {n} times.", "", "[]", "{}",
        "{}", trace,
    )  # fmt: skip


def _judgement(draw: random.Random) -> tuple[Any, ...]:
    thumb, score = draw.choice((-1, 1, None)), draw.choice((1, 2, 3, 4, 5, None))
    dimensions = json.dumps({"correctness": draw.randint(1, 5)})
    correction, comment = (_words(draw, 12) if draw.random() < 0.3 else None for _ in range(2))
    return (thumb, score, correction, comment, False, dimensions, "[]")


def _words(draw: random.Random, count: int) -> str:
    """Some words are common and most are rare, as in every language."""
    return " ".join(f"word{int(VOCABULARY ** draw.random())}" for _ in range(count))


def requests(database: Database) -> dict[str, Callable[[], object]]:
    """What pages ask for, by name: each once a click, but for the dashboard."""
    feedback = Feedback(database)
    queue = Queue(feedback.database)
    answer = queue.upcoming(ANNOTATOR, "entropy")[0]
    old = (datetime.fromisoformat(_time(100)).replace(tzinfo=UTC), UUID(int=0))
    middle = feedback.answers_of(ANNOTATOR, limit=200)[-1].answer_id

    def looked_at(look: Callable[[Any], object]) -> Callable[[], object]:
        def run() -> object:
            with database.read() as session:
                return look(session)

        return run

    return {
        "a person's answers": lambda: feedback.answers_of(ANNOTATOR),
        "the page after": lambda: feedback.answers_of(ANNOTATOR, before=middle),
        "one answer": lambda: feedback.answer(answer),
        "its rating": lambda: feedback.rating(answer, ANNOTATOR),
        "save and undo a rating": lambda: (
            feedback.rate(answer, ANNOTATOR, score=random.randint(1, 5), comment=str(random.random())),
            feedback.undo(answer, ANNOTATOR),
        ),
        "what is stored of a person": lambda: feedback.holdings(ANNOTATOR),
        "browse: newest": lambda: browse(database, SearchFilter()),
        "browse: far back": lambda: browse(database, SearchFilter(), old),
        "browse: task and thumb": lambda: browse(database, SearchFilter(task="asr", thumb=-1)),
        "browse: nothing is so": lambda: browse(database, SearchFilter(kind="nothing")),
        "search: a common word": lambda: browse(database, SearchFilter(words="word1")),
        "search: a rare word": lambda: browse(database, SearchFilter(words="word19876")),
        "search: two words, a score": lambda: browse(database, SearchFilter(words="word12 word345", score=1)),
        "search: a beginning": lambda: browse(database, SearchFilter(words="word123*")),
        "search: no such word": lambda: browse(database, SearchFilter(words="unheard")),
        "search: choices": lambda: choices(database),
        "queue: item": lambda: queue.item(answer, ANNOTATOR),
        "queue: progress": lambda: queue.progress(ANNOTATOR),
        "queue: by entropy": lambda: queue.upcoming(ANNOTATOR, "entropy"),
        "queue: newest": lambda: queue.upcoming(ANNOTATOR, "newest"),
        "queue: disagreement": lambda: queue.upcoming(ANNOTATOR, "disagreement"),
        "queue: chance": lambda: queue.upcoming(ANNOTATOR, "chance"),
        "dashboard: ratings": looked_at(ratings),
        "dashboard: agreement": looked_at(agreement),
        "dashboard: votes": looked_at(votes),
        "dashboard: all of it, drawn": lambda: dashboard(feedback),
    }


def plans(database: Database, run: Callable[[], object]) -> list[str]:
    """SQLite's query plan of every statement of a request."""
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert database.file is not None
    with closing(sqlite3.connect(database.file)) as connection:
        return [
            step[3]
            for statement, parameters in seen
            for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


def measure(folder: Path, count: int, rounds: int, explain: bool, only: str) -> None:
    file = folder / "feedback.db"
    fresh = not file.exists()
    database = open_database(f"sqlite:///{file}")
    if fresh:
        fill(file, count)
    print(f"{'':28}{'median':>10}{'p95':>10}{'CPU':>10}   ms, of {rounds} rounds")
    for name, run in requests(database).items():
        if only not in name:
            continue
        times, works = [], []
        for _ in range(rounds):
            began, work = time.perf_counter(), time.process_time()
            run()
            times.append(1000 * (time.perf_counter() - began))
            works.append(1000 * (time.process_time() - work))
        p95 = statistics.quantiles(times, n=20)[-1]
        median, work = statistics.median(times), statistics.median(works)
        print(f"{name:28}{median:10.1f}{p95:10.1f}{work:10.1f}", flush=True)
        if explain:
            print("".join(f"    {step}\n" for step in plans(database, run)), end="")
    database.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browse", description=__doc__.split("\n")[0])
    parser.add_argument("--ratings", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=30, metavar="N")
    parser.add_argument("--explain", action="store_true", help="show the plan of every query")
    parser.add_argument("--only", default="", metavar="WORD", help="requests with this in their name")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the database is kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        measure(folder, arguments.ratings, arguments.rounds, arguments.explain, arguments.only)


if __name__ == "__main__":
    main()
