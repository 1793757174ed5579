"""What one of several processes does every so often, beside its visitors."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


def every(seconds: float, action: Callable[[], None]) -> threading.Event:
    """Call `action` in a thread of its own, also after it failed, as long as the program runs or until the
    event that is returned is set."""

    def forever() -> None:
        while not stop.wait(seconds):
            try:
                action()
            except Exception:
                log.exception("what is done every %g s failed", seconds)

    stop = threading.Event()
    threading.Thread(target=forever, name="periodic", daemon=True).start()
    return stop
