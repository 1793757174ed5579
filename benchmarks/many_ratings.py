"""Where PostgreSQL becomes the limit: how long people wait with millions of ratings, and the plans.

    scripts/postgresql.sh python -m benchmarks.many_ratings [--ratings 10000000] [--seconds 600] [--explain]

Answers, ten ratings of each and their revisions are made by the server, 20,000 answers at a time, until there
are enough or the time is over; then each request is timed. They are in a schema of their own, which is
dropped at the end.
"""

import argparse
import os
import statistics
import time
import uuid
from collections.abc import Callable

from sqlalchemy import Connection, create_engine, event, make_url, text

from benchmarks.raters import record
from storage import Database, Feedback, open_database
from storage.annotation.queue import Queue
from storage.answers.browse import SearchFilter, browse

RATERS = 10  # of each answer
PEOPLE = 1000
CHUNK = 20_000  # answers
ROUNDS = 15
SLOW = 0.05  # s, from which on a plan is printed

# Formatted with numbers alone.
FILL = """
INSERT INTO clips (sha256, seconds, created_at)
SELECT lpad(to_hex(n), 64, '0'), 3.0, now() FROM generate_series({first}, {last}) n;

INSERT INTO answers (id, clip_sha256, annotator_id, input_hash, audio_kept, heard_start, heard_end,
  clip_duration, task, preset, model_fingerprint, quantization, device, seed, temperature, max_new_tokens,
  stopped, created_at, question, text, prompt, history, model, timings, trace)
SELECT md5('a' || n)::uuid, lpad(to_hex(n), 64, '0'), n %% {people} + 1, lpad(to_hex(n), 64, '0'), false, 0,
  3, 3, 'qa', 'mini', 'f00d', 'nf4', 'cpu', n, 0.7, 64,
  false, now() - n * interval '1 second', 'What do you hear?',
  'word' || n %% 20011 || ' word' || n %% 997 || ' ' || n, '', '[]', '{{}}', '{{}}', '{{}}'
FROM generate_series({first}, {last}) n;

INSERT INTO internals (answer_id, router_entropy, dominant_expert, redundant_share)
SELECT md5('a' || n)::uuid, random(), 'speech', 0.5 FROM generate_series({first}, {last}) n;

INSERT INTO ratings (id, answer_id, annotator_id, revision, withdrawn, created_at, updated_at, thumb, score,
  correction, comment, dimensions, flags)
SELECT md5('r' || n || ' ' || i)::uuid, md5('a' || n)::uuid, (n + i * 37) %% {people} + 1, 1, false,
  now(), now() - n * interval '1 second', (n + i) %% 2 * 2 - 1, (n + i) %% 5 + 1,
  NULL, CASE WHEN i = 1 THEN 'word' || n %% 20011 END, '{{}}', '[]'
FROM generate_series({first}, {last}) n, generate_series(1, {raters}) i;

INSERT INTO rating_revisions (rating_id, number, created_at, withdrawn, restores, thumb, score, correction,
  comment, dimensions, flags)
SELECT md5('r' || n || ' ' || i)::uuid, 1, now(), false, NULL, (n + i) %% 2 * 2 - 1, (n + i) %% 5 + 1, NULL,
  NULL, '{{}}', '[]'
FROM generate_series({first}, {last}) n, generate_series(1, {raters}) i;
"""


def fill(connection: Connection, ratings: int, seconds: float) -> int:
    """Returns how many ratings were made."""
    people = text(
        "INSERT INTO annotators (public_id, created_at) SELECT 'person-' || n, now()"
        " FROM generate_series(1, :people) n"
    )
    connection.execute(people, {"people": PEOPLE})
    connection.commit()
    deadline, answers = time.monotonic() + seconds, 0
    while answers * RATERS < ratings and time.monotonic() < deadline:
        first, last = answers + 1, answers + CHUNK
        made = FILL.format(first=first, last=last, people=PEOPLE, raters=RATERS)
        for statement in made.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        connection.commit()
        answers += CHUNK
    connection.execute(text("ANALYZE"))
    connection.commit()
    return answers * RATERS


def requests(database: Database) -> dict[str, Callable[[], object]]:
    """What people wait for, by name."""
    feedback, queue = Feedback(database), Queue(database)
    answer = feedback.record_answer(record(1), annotator="person-1")
    thumbs = iter(range(10**9))
    return {
        "save a rating": lambda: feedback.rate(answer, "person-1", thumb=1, comment=f"{next(thumbs)}"),
        "record an answer": lambda: feedback.record_answer(record(next(thumbs)), annotator="person-1"),
        "read an answer": lambda: feedback.answer(answer),
        "queue, undecided first": lambda: queue.upcoming("person-1", "entropy", audio_only=False, page="one"),
        "queue, newest first": lambda: queue.upcoming("person-1", "newest", audio_only=False, page="one"),
        "queue, counted": lambda: queue.progress("person-1", audio_only=False),
        "browse, newest": lambda: browse(database, SearchFilter()),
        "browse, a rare word": lambda: browse(database, SearchFilter(words="word19999")),
        "browse, good ones": lambda: browse(database, SearchFilter(thumb=1)),
    }


def measure(database: Database, *, explain: bool) -> None:
    for name, ask in requests(database).items():
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            ask()
            times.append(time.perf_counter() - began)
            if sum(times) > 60:
                break
        print(
            f"{name:<24} median {1000 * statistics.median(times):8.1f} ms  most {1000 * max(times):8.1f} ms"
        )
        if explain and statistics.median(times) > SLOW:
            print_plans(database, ask)


def print_plans(database: Database, ask: Callable[[], object]) -> None:
    """EXPLAIN of every SELECT of the request."""
    seen: list[tuple[str, object]] = []

    def note(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        if statement.startswith("SELECT") and "pg_advisory" not in statement:
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    ask()
    event.remove(database.engine, "before_cursor_execute", note)
    with database.engine.connect() as connection:
        for statement, parameters in seen:
            plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", parameters)  # type: ignore[arg-type]
            lines = [line for (line,) in plan]
            if float(lines[-1].split(": ")[1].split()[0]) > 1000 * SLOW / 2:
                print("    " + "\n    ".join(line[:150] for line in lines[:14]))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.many_ratings", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--ratings", type=int, default=10_000_000, metavar="N")
    parser.add_argument(
        "--seconds", type=float, default=3600.0, metavar="S", help="to fill the database at most"
    )
    parser.add_argument("--explain", action="store_true", help="print the plans of what is slow")
    arguments = parser.parse_args()
    server, name = os.environ["USAM_TEST_POSTGRESQL"], f"many_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    inside = make_url(server).update_query_dict({"options": f"-csearch_path={name}"})
    database = open_database(inside.render_as_string(hide_password=False))
    try:
        began = time.monotonic()
        with database.engine.connect() as connection:
            made = fill(connection, arguments.ratings, arguments.seconds)
            size = connection.scalar(text("SELECT pg_database_size(current_database())"))
        print(f"{made:,} ratings of {made // RATERS:,} answers, {size / 2**30:.1f} GB", end=", ")
        print(f"made in {time.monotonic() - began:.0f} s", flush=True)
        measure(database, explain=arguments.explain)
    finally:
        database.close()
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()


if __name__ == "__main__":
    main()
