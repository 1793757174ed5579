"""Who may see what everybody did: whoever runs the app, told by a password or by being on its own machine."""

from __future__ import annotations

import hmac

from ui.limits import Rate, own_machine
from usam.errors import RequestError

ATTEMPTS = 10  # a minute, of one address
ELSEWHERE = (
    "This page is for whoever runs this app. It opens on the app's own machine, or anywhere with the "
    "password that USAM_DASHBOARD_PASSWORD sets."
)
LOCKED = "This page is for whoever runs this app. Type its password."
WRONG = "That is not the password."


class Door:
    """With a `password`, open to who knows it; without one, to the server's own machine alone."""

    def __init__(self, password: str) -> None:
        self.password = password
        self._attempts = Rate(ATTEMPTS, "attempts")

    def admit(self, typed: str, address: str | None) -> None:
        """Raises RequestError with the reason why not."""
        if not self.password:
            if not own_machine(address):
                raise RequestError(ELSEWHERE)
            return
        if not typed:
            raise RequestError(LOCKED)
        self._attempts.take(address)
        if not hmac.compare_digest(typed.encode(), self.password.encode()):
            raise RequestError(WRONG)
