"""Whose judgements these are: a browser's random id by default, an account's where there are accounts."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from storage import new_annotator
from ui.settings import Settings

if TYPE_CHECKING:
    import gradio as gr

_BROWSERS, _ACCOUNTS = "a random id kept in your browser", "an id made for your account"
_MARK = "account-"  # what the ids of accounts begin with


@dataclass(frozen=True)
class Identity:
    """secret: of this installation; ids of accounts are made with it, so that a name does not tell its id,
    which is as good as a password.  admins: names of accounts that Dashboard and Browse open to.
    named: whether there are accounts at all."""

    secret: str = field(repr=False)
    admins: frozenset[str] = frozenset()
    named: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Identity:
        named = settings.accounts is not None or settings.oauth
        return cls(settings.browser_secret(), settings.admins, named)

    def account(self, request: gr.Request | None, profile: gr.OAuthProfile | None = None) -> str | None:
        """The name of the account that is signed in; None for none."""
        if not self.named:
            return None
        return (request.username if request else None) or (profile.username if profile else None)

    def of_account(self, request: gr.Request | None, profile: gr.OAuthProfile | None = None) -> str | None:
        """The id that what the account says is stored under; None for no account."""
        name = self.account(request, profile)
        if name is None:
            return None
        mac = hmac.digest(self.secret.encode(), f"account {name}".encode(), hashlib.sha256)
        return f"{_MARK}{base64.urlsafe_b64encode(mac[:18]).decode()}"

    def annotator(self, kept: str, request: gr.Request | None, profile: gr.OAuthProfile | None = None) -> str:
        """The id that what a person says is stored under: the account's, else the one that the browser
        `kept`, else a new one."""
        # An id that an account has left in the browser is not for whoever comes after it.
        # A page that was tampered with may send anything at all.
        own = kept if isinstance(kept, str) and not kept.startswith(_MARK) else ""
        return self.of_account(request, profile) or own or new_annotator()

    def is_admin(self, request: gr.Request | None, profile: gr.OAuthProfile | None = None) -> bool:
        return self.account(request, profile) in self.admins


def whose_id(settings: Settings) -> str:
    """What a visitor's answers and ratings stand under, in words."""
    if settings.accounts:
        return _ACCOUNTS
    return f"{_BROWSERS} or, while you are signed in, {_ACCOUNTS}" if settings.oauth else _BROWSERS
