"""The results of an intervention and of a deletion test, as values: shown, stored and drawn elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from typing import Any

from ui.what_if.choices import name_of
from usam.interpretability.deletion import DeletionTest
from usam.interpretability.intervention import InterventionResult
from usam.schema.interventions import DropRandom, Intervention


@dataclass(frozen=True)
class Outcome:
    """One row of the table: what was changed, and how the answer changed.

    logprob_change: of the answer before, nats per token.  seconds_saved: of reading prompt, audio and answer.
    threshold: that tokens were redundant by.
    """

    name: str
    before: str
    after: str
    logprob_change: float
    tokens: int
    tokens_dropped: int
    seconds_saved: float
    intervention: Intervention = field(default_factory=Intervention)
    threshold: float = 0.5

    def to_json(self) -> dict[str, Any]:
        left_out = ("name", "before", "after")
        record = {name: value for name, value in asdict(self).items() if name not in left_out}
        return {"answer": self.after, **record}


def outcome_of(result: InterventionResult) -> Outcome:
    answer, intervention = result.answer, result.answer.intervention
    draw = f", draw {intervention.seed}" if isinstance(intervention, DropRandom) else ""
    return Outcome(
        name=name_of(intervention, answer.trace.experts) + draw,
        before=result.baseline.text,
        after=answer.text,
        logprob_change=result.logprob_change,
        tokens=len(answer.trace.tokens),
        tokens_dropped=answer.trace.tokens_dropped,
        seconds_saved=result.seconds_saved,
        intervention=intervention,
        threshold=result.baseline.trace.threshold,
    )


def word_changes(before: str, after: str) -> list[tuple[str, str]]:
    """The words of both texts in one line, in pieces: `del` for those that went, `ins` for those that came,
    `same` for the rest."""
    old, new = before.split(), after.split()
    pieces = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", " ".join(new[k:m])))
        else:
            pieces += [("del", " ".join(old[i:j]))] * (j > i) + [("ins", " ".join(new[k:m]))] * (m > k)
    return pieces


def conditions(result: DeletionTest) -> list[tuple[str, tuple[float, ...], bool]]:
    """Of a deletion test: each condition in words, what was measured, and whether it is the random control
    that the others are compared with."""
    dropped = result.tokens_dropped
    return [
        (f"all {result.tokens} tokens", (result.all,), False),
        (f"without {dropped} redundant", (result.drop_redundant,), False),
        (f"without {dropped} random", result.drop_random, True),
        (f"only {dropped} redundant", (result.keep_redundant,), False),
    ]
