"""Whose judgements these are: a browser's random id by default, an account's where there are accounts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING

from storage import new_annotator
from ui.access.secrets import Secrets
from ui.settings import Settings
from usam.errors import RequestError

if TYPE_CHECKING:
    import gradio as gr

_BROWSERS, _ACCOUNTS = "a random id kept in your browser", "an id made for your account"
_ACCOUNT, _BROWSER = "account-", "browser-"  # what ids begin with that need a signature
_PART = "~"  # between an id and its signature; no id has it
_UNSIGNED = re.compile(r"[\w-]{22}", re.ASCII)
"""An id that a browser was given before ids were signed: random, so that who knows it is its owner."""


@dataclass(frozen=True)
class Identity:
    """secret: of this installation; ids of accounts are made with it.  admins: names of accounts that
    Dashboard, Browse, Teach and Projects open to.  named: whether there are accounts at all.  signing_key:
    signs the ids that browsers keep, so that knowing an id is not enough to act under it."""

    secret: str = field(repr=False)
    admins: frozenset[str] = frozenset()
    named: bool = False
    signing_key: str = field(default_factory=lambda: token_hex(16), repr=False)

    @classmethod
    def of(cls, settings: Settings, secrets: Secrets) -> Identity:
        named = settings.accounts is not None or settings.oauth
        return cls(secrets.browser, settings.admins, named, secrets.signing)

    def account(self, request: gr.Request | None, profile: gr.OAuthProfile | None = None) -> str | None:
        """The name of the account that is signed in; None for none."""
        if not self.named:
            return None
        return (request.username if request else None) or (profile.username if profile else None)

    def of_account(self, request: gr.Request | None, profile: gr.OAuthProfile | None = None) -> str | None:
        """The id that the account's ratings are stored under; None for no account."""
        name = self.account(request, profile)
        return None if name is None else self.id_of(name)

    def id_of(self, account: str) -> str:
        """The id that the ratings of the account of this name are stored under."""
        mac = hmac.digest(self.secret.encode(), f"account {account}".encode(), hashlib.sha256)
        return f"{_ACCOUNT}{base64.urlsafe_b64encode(mac[:18]).decode()}"

    def annotator(self, kept: str, request: gr.Request | None, profile: gr.OAuthProfile | None = None) -> str:
        """The id that a person's answers and ratings are stored under: the account's, else the one that the
        browser `kept`, else a new one."""
        # An id that an account has left in the browser is not for whoever comes after it.
        # A manipulated page may send anything.
        own = kept if isinstance(kept, str) and not kept.startswith(_ACCOUNT) else ""
        return self.of_account(request, profile) or own or f"{_BROWSER}{new_annotator()}"

    def signed(self, annotator: str) -> str:
        """The id with its signature, as a browser keeps it."""
        return f"{annotator}{_PART}{self._signature(annotator)}"

    def verified(self, kept: object) -> str:
        """The id that a browser keeps; "" for one that was not given to it."""
        if not isinstance(kept, str):
            return ""
        annotator, part, signature = kept.partition(_PART)
        if part:
            good = hmac.compare_digest(
                signature.encode("utf-8", "replace"), self._signature(annotator).encode()
            )
            return annotator if good else ""
        return "" if needs_signature(kept) or not _UNSIGNED.fullmatch(kept) else kept

    def of_program(self, named: str, request: gr.Request | None) -> str:
        """The id that a program rates under: its account's, else the name it gives itself.

        Raises RequestError for the id of an account or a browser, unless it comes with its signature.
        """
        if account := self.of_account(request):
            return account
        annotator = self.verified(named) if _PART in named else named
        if annotator == named and not needs_signature(named):
            return named  # storage says what a name can be
        if not annotator or annotator == named:
            raise RequestError(
                "This annotator id belongs to a browser or an account. Choose a name of your own."
            )
        return annotator

    def _signature(self, annotator: str) -> str:
        mac = hmac.digest(
            self.signing_key.encode(), f"annotator {annotator}".encode("utf-8", "replace"), hashlib.sha256
        )
        return base64.urlsafe_b64encode(mac[:18]).decode()

    def is_admin(self, request: gr.Request | None, profile: gr.OAuthProfile | None = None) -> bool:
        return self.account(request, profile) in self.admins


def needs_signature(annotator: str) -> bool:
    return annotator.startswith((_ACCOUNT, _BROWSER))


def whose_id(settings: Settings) -> str:
    """What a visitor's answers and ratings stand under, in words."""
    if settings.accounts:
        return _ACCOUNTS
    return f"{_BROWSERS} or, while you are signed in, {_ACCOUNTS}" if settings.oauth else _BROWSERS
