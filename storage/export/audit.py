"""What an export read, wrote and dropped, and the biases a trainer should know of."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from storage.database.schema import Comparison, Rating
from storage.export.reader import Reader


@dataclass
class Audit:
    """Counts of one export.

    read: judgements by kind.  rows: rows written, by file.  dropped: judgements left out, by reason:
      withdrawn; dimension (scores on names that few used, where there are too many); neutral (a thumb
      neither up nor down); no_thumb; tie; both_bad; preference (says nothing about one answer alone);
      identical; alike (but for case, spacing and a last full stop); empty; unfinished (would teach the model
      to stop early); contradicting (as many up as down, or the minority of two texts' votes);
      duplicate; unpaired (no counterpart on the same input); no_audio (of a training row, for trainers that
      take audio).
    findings: measurements, by subject.
    """

    format: str
    read: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Any] = field(default_factory=dict)

    def measure_people(self, reader: Reader) -> None:
        """Measure how large one person's share is, and whether the left side wins more often than half."""
        people = reader.ratings_by(Rating.annotator_id) + reader.comparisons_by(Comparison.annotator_id)
        if people:
            largest = max(people.values()) / people.total()
            self.findings["annotators"] = {"count": len(people), "largest_share": round(largest, 4)}
        sides = reader.comparisons_by(Comparison.winner, Comparison.swapped)
        decided = {key: count for key, count in sides.items() if key[0] in ("a", "b")}
        if decided:
            left = sum(count for (winner, swapped), count in decided.items() if (winner == "a") != swapped)
            total = sum(decided.values())
            self.findings["sides"] = {"votes": total, "left_won": round(left / total, 4)}

    def to_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "read": dict(self.read),
            "rows": dict(self.rows),
            "dropped": {reason: count for reason, count in sorted(self.dropped.items()) if count},
            **self.findings,
        }

    def __str__(self) -> str:
        """A few plain lines: rows in, rows out, dropped rows per reason."""
        parts = (("read", self.read), ("wrote", self.rows), ("dropped", self.dropped))
        lines = [
            f"{verb:8}{count:>9,}  {name}"
            for verb, counts in parts
            for name, count in counts.items()
            if count
        ]
        return "\n".join(lines) or "nothing to export yet"
