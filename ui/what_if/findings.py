"""What was found about one answer under "What if": shown there, and part of the exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ui.what_if.outcomes import Outcome

if TYPE_CHECKING:
    from usam.interpretability.attribution import Attribution
    from usam.interpretability.deletion import DeletionTest


@dataclass(frozen=True)
class Findings:
    """changes: the interventions, oldest first. deletion: the latest deletion test. words: the attribution of
    each word of the answer to the audio tokens."""

    changes: tuple[Outcome, ...] = ()
    deletion: DeletionTest | None = None
    words: Attribution | None = None

    def to_json(self) -> dict[str, Any]:
        """Only what was found: `interventions`, `deletion_test` and `attribution`."""
        found = {
            "interventions": [outcome.to_json() for outcome in self.changes],
            "deletion_test": self.deletion and self.deletion.to_json(),
            "attribution": self.words and self.words.to_json(),
        }
        return {name: value for name, value in found.items() if value}
