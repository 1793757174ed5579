"""What people say of answers, as losses take it, with how likely the reference holds these answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from usam.training.preferences.clips import Completion, Heard
from usam.training.preferences.reference import Reference
from usam.training.preferences.rows import Mark


@dataclass(frozen=True)
class PairItem:
    """Two answers to one question and how likely the reference holds them. dpo, sft: weights of preferring
    the one to the other, and of making it likelier by itself. corrects: whether a person wrote the chosen
    one, so that it is what is to be said, and not only better than the other."""

    chosen: Completion
    rejected: Completion
    ref_chosen: Reference
    ref_rejected: Reference
    weight: float
    sft: float
    dpo: float = 1.0
    corrects: bool = False


@dataclass(frozen=True)
class ThumbItem:
    """An answer alone; `other` is one to another question, put to this one, that tells how far the model is
    from the reference."""

    completion: Completion
    ref: Reference
    other: Completion
    ref_other: Reference
    desirable: bool
    weight: float


@dataclass(frozen=True)
class MarkItem:
    """What mattered of a clip to an answer."""

    heard: Heard
    completion: Completion
    marks: tuple[Mark, ...]
    weight: float


@dataclass(frozen=True)
class ReplayItem:
    """An answer whose distribution is to stay."""

    completion: Completion
    ref: Reference


Judged = PairItem | ThumbItem | MarkItem


@dataclass(frozen=True)
class TuningData:
    """What is learned from, and what is held out. known: right answers that are not replayed, few of which
    may be lost."""

    judged: Sequence[Judged]
    replay: Sequence[ReplayItem] = ()
    held_pairs: Sequence[PairItem] = ()
    held_replay: Sequence[ReplayItem] = ()
    known: Sequence[Completion] = ()


def balance(thumbs: Sequence[ThumbItem]) -> dict[bool, float]:
    """Weights under which what is wanted and what is not pull alike, the rarer one more."""
    counts = {label: sum(item.desirable == label for item in thumbs) for label in (True, False)}
    most = max(counts.values(), default=1)
    return {label: most / count if count else 1.0 for label, count in counts.items()}
