"""What the server's process holds, looked at every few seconds from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.endurance.server import Reading, Server

LOOK_SECONDS = 5.0


class Watch:
    """Readings of the server every few seconds, each with the seconds since the beginning."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.began = time.monotonic()
        self.readings: list[tuple[float, int, Reading]] = []
        self._over = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def lives(self) -> list[list[tuple[float, Reading]]]:
        """The readings of each process that there was."""
        numbers = sorted({life for _, life, _ in self.readings})
        return [[(at, read) for at, life, read in self.readings if life == number] for number in numbers]

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            if self.server.up.is_set():
                try:
                    reading = self.server.read()
                except (OSError, KeyError):  # it was killed just now
                    continue
                self.readings.append((time.monotonic() - self.began, self.server.outages, reading))
