"""Which page is being answered right now, and how to stop it."""

import threading


class RunningRequests:
    """One running answer a page. A page is known by its session hash."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}

    def begin(self, page: str) -> bool:
        """Reserve the page for one answer; False while another one is still being written."""
        with self._lock:
            if page in self._stops:
                return False
            self._stops[page] = threading.Event()
            return True

    def __len__(self) -> int:
        """How many pages wait for an answer or read one being written."""
        with self._lock:
            return len(self._stops)

    def stop_event(self, page: str) -> threading.Event:
        """The event that stops the page's answer; already set if Stop was pressed while it waited in line."""
        with self._lock:
            return self._stops.setdefault(page, threading.Event())

    def stop(self, page: str) -> None:
        """Ask the page's answer to end; it ends after the token it is at."""
        with self._lock:
            if page in self._stops:
                self._stops[page].set()

    def end(self, page: str) -> None:
        """Stop whatever still runs for the page and let it ask again."""
        with self._lock:
            if page in self._stops:
                self._stops.pop(page).set()
