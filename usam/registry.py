"""Things by name that other packages may add to: by an entry point, or by a call while the program runs."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from usam.errors import RequestError

Entry = TypeVar("Entry")


class Registry(Generic[Entry]):
    """Entries of one kind by name: the package's `own`, those registered, and those of the entry point group.

    An entry point is imported when its name is first asked for, not before.
    """

    def __init__(self, kind: str, group: str, entry: type[Entry], own: Iterable[tuple[str, Entry]]) -> None:
        """kind: as error messages call one. entry: the class of all entries."""
        self.kind = kind
        self.group = group
        self._entry = entry
        self._entries = dict(own)

    def register(self, name: str, entry: Entry) -> None:
        """Add an entry. Raises RequestError if the name is taken."""
        if name in self.names():
            raise RequestError(f"There is {self.kind} {name!r} already; choose another name.")
        self._entries[name] = entry

    def names(self) -> list[str]:
        """All names, in alphabetical order."""
        return sorted({*self._entries, *self._installed()})

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._installed()

    def __getitem__(self, name: str) -> Entry:
        """The entry of that name. Raises RequestError if there is none, or it cannot be loaded."""
        if name not in self._entries:
            point = self._installed().get(name)
            if point is None:
                raise RequestError(f"There is no {self.kind} {name!r}; there is {', '.join(self.names())}.")
            self._entries[name] = self._loaded(point)
        return self._entries[name]

    def _installed(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def _loaded(self, point: EntryPoint) -> Entry:
        by = f"{self.kind} {point.name!r} of {point.value}"
        try:
            entry = point.load()
        except Exception as error:  # another package's code
            raise RequestError(f"The {by} cannot be loaded ({type(error).__name__}: {error}).") from error
        if not isinstance(entry, self._entry):
            raise RequestError(f"The {by} is no {self._entry.__name__}, but a {type(entry).__name__}.")
        return entry
