"""Answers to a table of clips and questions on Ray: one engine an actor, on one machine or many.

Ray asks a row again whose actor died; a row is written once, when it is answered. What is written can be
read and continued as that of `usam.engine.batch`.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from usam.engine.batch import Outcome, Row, answer_row, clips_folder, finished
from usam.errors import RequestError
from usam.progress import ProgressCallback

if TYPE_CHECKING:
    from usam.engine.engine import Engine

REACHED_SECONDS = 5.0
LOCAL = "local"
"""The address of a Ray of this command's own."""
ROWS_A_TASK = 4
"""A task costs some milliseconds, and what an actor that dies had answered of one is answered again."""


class Answerer:
    """In each actor: loads an engine, and answers rows."""

    def __init__(self, load: Callable[[], Engine], options: dict[str, Any]) -> None:
        self.engine = load()
        self.options = options

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        row = Row(item["row"], item["path"], item["question"], item["task"])
        record = answer_row(self.engine, Path(item["file"]), row, self.options)
        return {"record": json.dumps(record, ensure_ascii=False)}


def run_on_ray(
    table: Path,
    output: Path,
    rows: list[Row],
    load: Callable[[], Engine],
    report: ProgressCallback,
    *,
    address: str = LOCAL,
    actors: int | None = None,
    **options: Any,
) -> Outcome:
    """As `run_batch`, in the order in which rows are answered. Paths have to lead to the clips on every
    machine.

    load: makes the engine in an actor, and is sent there.  actors: how many, by default one for each GPU, or
    for each machine where there is none; they share its cores.

    Raises RequestError, also where Ray cannot be reached, ImportError where it is not installed.
    """
    try:
        done = finished(output, rows)
        left = [row for row in rows if row.number not in done]
        refused = sum("error" in record for record in done.values())
        if left:
            with output.open("a", encoding="utf-8") as file:
                count = len(done)
                for line in _answers(clips_folder(table).resolve(), left, load, address, actors, options):
                    record = json.loads(line)
                    if record["row"] in done:
                        continue
                    done[record["row"]] = record
                    file.write(line + "\n")
                    file.flush()
                    count += 1
                    refused += "error" in record
                    report(f"{count} of {len(rows)}: {record['path']}", count / len(rows))
    except OSError as cause:
        raise RequestError(f"{output.name} cannot be written: {cause.strerror}.") from cause
    report(f"{len(rows)} of {len(rows)}", 1.0)
    return Outcome(len(rows) - refused, refused)


def _check_reachable(address: str) -> None:
    """Ray itself would try for minutes, and end the program. Raises OSError."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED_SECONDS).close()


def _answers(
    folder: Path,
    rows: list[Row],
    load: Callable[[], Engine],
    address: str,
    actors: int | None,
    options: dict[str, Any],
) -> Iterator[str]:
    """The lines of the output, as they are ready."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    logging.getLogger("ray.data").setLevel(logging.WARNING)
    try:
        _check_reachable(address)
        ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        raise RequestError(f"There is no Ray at {address!r}, or it cannot be reached.") from error
    try:
        there = ray.cluster_resources()
        gpus, cores = int(there.get("GPU", 0)), int(there.get("CPU", 1))
        pool = min(actors or gpus or len(ray.nodes()), len(rows))
        # Also the threads that torch has. Ray takes parts of a core, but not of more than one.
        share: dict[str, Any] = {"num_cpus": cores // pool if cores >= pool else 0.9 * cores / pool}
        if gpus:
            share["num_gpus"] = min(1.0, gpus / pool)
        ray.data.DataContext.get_current().enable_progress_bars = False
        items = [
            {
                "row": row.number,
                "path": row.path,
                "file": str(folder / row.path),
                "question": row.question,
                "task": row.task,
            }
            for row in rows
        ]
        blocks = -(-len(items) // ROWS_A_TASK)
        answered = ray.data.from_items(items, override_num_blocks=max(blocks, pool)).map(
            cast(Any, Answerer),  # Ray's types take functions alone
            fn_constructor_args=(load, options),
            compute=ray.data.ActorPoolStrategy(size=pool, max_tasks_in_flight_per_actor=2),
            **share,
        )
        for row in answered.iter_rows():
            yield row["record"]
    except ray.exceptions.RayError as error:
        *_, reason = str(error).strip().splitlines()
        raise RequestError(f"Ray's actors could not answer: {reason.split(': ', 1)[-1]}") from error
    finally:
        ray.shutdown()
