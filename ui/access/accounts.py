"""Named accounts: a file of names with salted hashes of their passwords.

`python -m ui.access.accounts FILE NAME` adds one or changes its password, `--remove` takes it away. The
running app reads the file at every login, so neither needs a restart.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import hashlib
import hmac
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.replicas.request_counts import RequestCounts
from ui.access.rate_limit import GuessLimit
from ui.access.request import current_client
from usam.errors import RequestError

SHORTEST_PASSWORD = 10
ATTEMPTS = 10  # a minute, at one name from one address
ATTEMPTS_OF_ADDRESS = 30  # a minute, at all names
NAME = re.compile(r"[A-Za-z][\w.-]{0,38}", re.ASCII)
_COST = {"n": 2**14, "r": 8, "p": 1}
"""Of scrypt: 16 MB and some 50 ms for each guess."""


@dataclass(frozen=True)
class Accounts:
    """The accounts in a file, one `name:salt:hash` a line."""

    file: Path

    def passwords(self) -> dict[str, tuple[str, str]]:
        """Salt and hash by name. Raises ValueError with a plain sentence when it is not such a file."""
        try:
            lines = self.file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"The file of accounts {self.file} cannot be read.") from error
        found = {}
        for number, line in enumerate(filter(str.strip, lines), start=1):
            name, *kept = line.strip().split(":")
            if len(kept) != 2 or not NAME.fullmatch(name):
                raise ValueError(f"Line {number} of {self.file} is not an account.")
            found[name] = (kept[0], kept[1])
        return found

    def matches(self, name: str, password: str) -> bool:
        """Whether there is an account of this name with this password; it takes as long without one."""
        salt, kept = self.passwords().get(name, ("", ""))
        return hmac.compare_digest(_hashed(password, salt), kept) and bool(kept)

    def credential(self, name: str) -> str:
        """Names the account's present password; empty where there is no such account. Raises ValueError."""
        found = self.passwords().get(name)
        return hashlib.sha256(":".join(found).encode()).hexdigest() if found else ""

    def save(self, name: str, password: str) -> None:
        """Add an account or change its password. Raises ValueError with a plain sentence."""
        if not NAME.fullmatch(name):
            raise ValueError(
                "A name begins with a letter and has at most 39 letters, digits, dots, hyphens, underscores."
            )
        if len(password) < SHORTEST_PASSWORD:
            raise ValueError(f"A password has at least {SHORTEST_PASSWORD} characters.")
        salt = secrets.token_hex(16)
        self._write({**self._there(), name: (salt, _hashed(password, salt))})

    def remove(self, name: str) -> None:
        """Raises ValueError when there is no such account."""
        left = self._there()
        if left.pop(name, None) is None:
            raise ValueError(f"There is no account {name!r}.")
        self._write(left)

    def _there(self) -> dict[str, tuple[str, str]]:
        return self.passwords() if self.file.exists() else {}

    def _write(self, accounts: dict[str, tuple[str, str]]) -> None:
        """In one step, so that a login at this moment reads the old file or the new one."""
        handle, temporary = tempfile.mkstemp(dir=self.file.parent, prefix=f".{self.file.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(f"{name}:{salt}:{kept}\n" for name, (salt, kept) in sorted(accounts.items()))
            os.replace(temporary, self.file)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise


class Login:
    """Gradio's `auth`: checks logins, and limits how fast passwords can be tried.

    Wrong ones are counted by name and address together, so that guessing at a name does not lock its account
    elsewhere.
    """

    def __init__(self, accounts: Accounts, shared: RequestCounts | None = None) -> None:
        """shared: see `RateLimit`."""
        self.accounts = accounts
        self._guesses = GuessLimit(ATTEMPTS, 0, "account", shared)
        self._of_address = GuessLimit(ATTEMPTS_OF_ADDRESS, 0, "accounts", shared)

    async def admits(self, name: str, password: str) -> bool:
        if not NAME.fullmatch(name):
            return False
        address = current_client.get().rate_key or "own machine"
        return await asyncio.to_thread(self._admits, name, password, address)

    def _admits(self, name: str, password: str, address: str) -> bool:
        key = f"{name} {address}"
        try:
            self._of_address.take(address)
            self._guesses.take(key)
        except RequestError:
            return False
        right = self.accounts.matches(name, password)
        if right:
            self._of_address.was_right(address)
            self._guesses.was_right(key)
        return right


def _hashed(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt.encode(), **_COST).hex()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m ui.access.accounts", description="Named accounts of the app."
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="what USAM_ACCOUNTS names; made where missing"
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--remove", action="store_true", help="take the account away")
    arguments = parser.parse_args(argv)
    accounts = Accounts(arguments.file)
    try:
        if arguments.remove:
            accounts.remove(arguments.name)
        else:
            accounts.save(arguments.name, _asked_password())
    except (ValueError, OSError) as error:
        print(f"python -m ui.access.accounts: {error}", file=sys.stderr)
        return 2
    print(f"{'removed' if arguments.remove else 'saved'} {arguments.name}")
    return 0


def _asked_password() -> str:
    """Typed twice where there is a terminal, else the first line of the input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise ValueError("The two passwords differ.")
    return password


if __name__ == "__main__":
    sys.exit(main())
