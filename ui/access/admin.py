"""Access to Dashboard, Browse, Teach and Projects: for admins, or whoever runs the app, by password or on the
server's machine."""

from __future__ import annotations

import hmac

import gradio as gr

from storage.replicas.request_counts import RequestCounts
from ui.access.identity import Identity
from ui.access.rate_limit import GuessLimit
from ui.access.request import Client, client_of
from usam.errors import RequestError

ATTEMPTS = 10  # a minute, of one address
ATTEMPTS_OF_ALL = 60  # a minute
OWN_MACHINE = "own machine"
NOT_LOCAL = (
    "This page is for whoever runs this app. It opens anywhere with the password that "
    "USAM_DASHBOARD_PASSWORD sets, or to the accounts that USAM_ADMINS names; without them, on the app's own "
    "machine at a localhost address, but not through a proxy, in a container or on a Space."
)
ADMINS = "This page is for the accounts that USAM_ADMINS names."
LOCKED = "This page is for whoever runs this app. Type its password."
WRONG = "That is not the password."


class LockedError(RequestError):
    """Nothing was typed yet."""


class AdminGate:
    """Admits accounts that are admins. With a `password`, also whoever knows it; without one, and without
    accounts, the server's own machine."""

    def __init__(
        self, password: str, identity: Identity | None = None, shared: RequestCounts | None = None
    ) -> None:
        """shared: see `RateLimit`."""
        self.password = password
        self.identity = identity
        self._guesses = GuessLimit(ATTEMPTS, ATTEMPTS_OF_ALL, "dashboard", shared)

    def password_box(self, elem_id: str) -> gr.Textbox:
        """Where a visitor types the password; hidden where there is none. Called inside a page's context."""
        return gr.Textbox(label="Password", type="password", visible=bool(self.password), elem_id=elem_id)

    def require(self, typed: str, request: gr.Request, profile: gr.OAuthProfile | None = None) -> None:
        """Raises RequestError with the reason why not."""
        if not (self.identity and self.identity.is_admin(request, profile)):
            self.require_password(typed, client_of(request))

    def require_password(self, typed: str, client: Client) -> None:
        """Raises RequestError with the reason why not."""
        if not self.password:
            if self.identity and self.identity.named:
                raise RequestError(ADMINS)
            if not client.own_machine:
                raise RequestError(NOT_LOCAL)
            return
        if not typed:
            raise LockedError(LOCKED)
        key = client.rate_key or OWN_MACHINE
        self._guesses.take(key)
        if not hmac.compare_digest(_bytes(typed), _bytes(self.password)):
            raise RequestError(WRONG)
        self._guesses.was_right(key)


def _bytes(text: str) -> bytes:
    """Also for invalid Unicode, which a manipulated page may send."""
    return text.encode("utf-8", "surrogatepass")
