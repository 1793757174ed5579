"""A lock that is handed on in the order it was asked for."""

import threading
from collections import deque


class FairLock:
    """Threads queue for it, so that those who take it for many short turns share it evenly.

    A plain lock goes to whoever asks first after its release, which is the holder itself.
    """

    def __init__(self) -> None:
        self._line: deque[threading.Event] = deque()
        self._changing = threading.Lock()

    def __enter__(self) -> None:
        mine = threading.Event()
        with self._changing:
            self._line.append(mine)
            if len(self._line) == 1:
                mine.set()
        try:
            mine.wait()
        except BaseException:  # an interrupt: those behind must not wait for a thread that has left
            self._leave(mine)
            raise

    def __exit__(self, *exception: object) -> None:
        self._leave(self._line[0])

    def locked(self) -> bool:
        return bool(self._line)

    def _leave(self, place: threading.Event) -> None:
        with self._changing:
            self._line.remove(place)
            if self._line:
                self._line[0].set()
