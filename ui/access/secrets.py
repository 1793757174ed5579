"""The secrets of an installation: the same in all its processes, and after a restart."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from secrets import token_hex

from storage import Database
from storage.replicas.secrets import SecretStore
from ui.settings import Settings

BROWSER, SIGNING, COOKIE, ADDRESSES = "browser-secret", "signing-key", "login-cookie", "addresses"


@dataclass(frozen=True)
class Secrets:
    """browser: the key that a browser's notes are encrypted with, and accounts' ids are made with; every page
    gets it.  signing: the key that ids in browsers are signed with; it never leaves the server.  cookie: the
    name of the cookie of logins.  addresses: the key that visitors' addresses are hashed with."""

    browser: str = field(repr=False)
    signing: str = field(repr=False)
    cookie: str = field(repr=False)
    addresses: str = field(repr=False)

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Secrets:
        """Made from USAM_SECRET, else kept in the database: those of before, which are files in the data
        folder, or new ones. Raises StorageError."""
        names = (BROWSER, SIGNING, COOKIE, ADDRESSES)
        if settings.secret:
            return cls(*(_derived(settings.secret, name) for name in names))
        store = SecretStore(database)
        return cls(*(store.get(name, _earlier(settings, name) or token_hex(16)) for name in names))


def _derived(secret: str, name: str) -> str:
    return hmac.digest(secret.encode("utf-8", "surrogateescape"), name.encode(), hashlib.sha256).hex()[:32]


def _earlier(settings: Settings, name: str) -> str:
    """What an earlier version of the app kept in a file."""
    try:
        return (settings.data / name).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
