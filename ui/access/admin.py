"""Who Dashboard and Browse open to: admins, or whoever runs the app, told by a password or by the machine."""

from __future__ import annotations

import hmac

import gradio as gr

from ui.access.identity import Identity
from ui.access.rate_limit import RateLimit
from ui.access.request import address_of, own_machine, rate_key
from usam.errors import RequestError

ATTEMPTS = 10  # a minute, of one address
ELSEWHERE = (
    "This page is for whoever runs this app. It opens on the app's own machine, or anywhere with the "
    "password that USAM_DASHBOARD_PASSWORD sets."
)
ADMINS = "This page is for the accounts that USAM_ADMINS names."
LOCKED = "This page is for whoever runs this app. Type its password."
WRONG = "That is not the password."


class LockedError(RequestError):
    """Nothing was typed yet."""


class AdminGate:
    """Open to accounts that are admins. With a `password`, also to who knows it; without one, and without
    accounts, to the server's own machine."""

    def __init__(self, password: str, identity: Identity | None = None) -> None:
        self.password = password
        self.identity = identity
        self._attempts = RateLimit(ATTEMPTS, "attempts")

    def password_box(self, elem_id: str) -> gr.Textbox:
        """Where a visitor types the password; hidden where there is none. Called inside a page's context."""
        return gr.Textbox(label="Password", type="password", visible=bool(self.password), elem_id=elem_id)

    def require(self, typed: str, request: gr.Request, profile: gr.OAuthProfile | None = None) -> None:
        """Raises RequestError with the reason why not."""
        if not (self.identity and self.identity.is_admin(request, profile)):
            self.require_password(typed, address_of(request))

    def require_password(self, typed: str, address: str | None) -> None:
        """Raises RequestError with the reason why not."""
        if not self.password:
            if self.identity and self.identity.named:
                raise RequestError(ADMINS)
            if not own_machine(address):
                raise RequestError(ELSEWHERE)
            return
        if not typed:
            raise LockedError(LOCKED)
        self._attempts.take(rate_key(address))
        if not hmac.compare_digest(typed.encode(), self.password.encode()):
            raise RequestError(WRONG)
