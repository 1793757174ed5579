"""Logins that all processes know: takes the place of Gradio's own, which each process keeps to itself."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, MutableMapping

from storage import StorageError
from storage.replicas.logins import Login, LoginStore
from ui.access.accounts import Accounts

log = logging.getLogger(__name__)


class _Key(str):
    """The hash under which a token is kept. Its type tells it from a token: no cookie can name a login by
    it."""

    __slots__ = ()


class LoginTokens(MutableMapping[str, str]):
    """Names of accounts by the tokens in their browsers' cookies.

    A token is good while the account is there and has the password that it had then. What is iterated over
    are keys to look up and delete by, as signing out everywhere does, not tokens.
    """

    def __init__(self, store: LoginStore, accounts: Accounts) -> None:
        self.store = store
        self.accounts = accounts

    def __getitem__(self, token: str) -> str:
        try:
            login = self.store.get(_key_of(token)) if isinstance(token, str) else None
            if login and login.credential == self.accounts.credential(login.name):
                return login.name
        except (StorageError, ValueError) as error:
            log.error("a login could not be checked: %s", error)
        raise KeyError(token)

    def __setitem__(self, token: str, name: str) -> None:
        self.store.add(_key_of(token), Login(name, self.accounts.credential(name)))

    def __delitem__(self, token: str) -> None:
        self.store.remove(_key_of(token))

    def __iter__(self) -> Iterator[str]:
        return map(_Key, self.store.keys())

    def __len__(self) -> int:
        return len(self.store.keys())


def _key_of(token: str) -> str:
    if isinstance(token, _Key):
        return str(token)
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
