"""Whom a project is assigned to: accounts by their names, which the database knows by ids alone."""

from __future__ import annotations

from collections.abc import Sequence

from storage.annotation.projects import PersonProgress
from ui.access.accounts import Accounts
from ui.access.identity import Identity
from ui.settings import Settings
from usam.errors import RequestError

NO_ACCOUNTS = "A project can be assigned to people where there are accounts (USAM_ACCOUNTS)."


class Team:
    """The accounts of this installation."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.identity = identity
        self.file = Accounts(settings.accounts) if settings.accounts else None

    @property
    def named(self) -> bool:
        """Whether there are accounts at all."""
        return self.identity.named

    def members(self, names: str) -> dict[str, str]:
        """Ids and names of the accounts in a list parted by commas, spaces or lines. Raises RequestError,
        also for an unknown account, where a file lists them all."""
        listed = names.replace(",", " ").split()
        if not self.named:
            raise RequestError(NO_ACCOUNTS)
        if not listed:
            raise RequestError("Name the accounts that the project is assigned to, or open it to all.")
        known = self._known()
        if unknown := [name for name in listed if known is not None and name not in known]:
            raise RequestError(f"There is no account {unknown[0]}.")
        return {self.identity.id_of(name): name for name in listed}

    def named_people(self, people: Sequence[PersonProgress]) -> list[tuple[str, PersonProgress]]:
        """Each with their account's name where it is known, else with the number that exports name them by.
        Raises RequestError."""
        named = {self.identity.id_of(name): name for name in self._known() or ()}
        return [
            (person.name or named.get(person.public_id, f"person {person.annotator}"), person)
            for person in people
        ]

    def _known(self) -> set[str] | None:
        """None where the accounts are not listed here. Raises RequestError."""
        try:
            return set(self.file.passwords()) if self.file else None
        except ValueError as error:
            raise RequestError(str(error)) from error
