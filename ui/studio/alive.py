"""Tells the other processes, every so often, that this one is still there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from storage.replicas.queue_places import RENEW_SECONDS

log = logging.getLogger(__name__)


def keep_alive(renew: Callable[[], None], seconds: float = RENEW_SECONDS) -> None:
    """Call `renew` in a thread of its own, as long as the program runs."""

    def forever() -> None:
        while not stop.wait(seconds):
            try:
                renew()
            except Exception:
                log.exception("this process could not say that it is there")

    stop = threading.Event()
    threading.Thread(target=forever, name="keep-alive", daemon=True).start()
