"""From judgements to what the stage of preferences learns from: clips heard, answers scored by the
reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from random import Random

from usam.errors import AudioError, RequestError
from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.preferences.clips import Completion, Heard, RatedClips, asked_prompt
from usam.training.preferences.judgements import Judged, MarkItem, PairItem, ReplayItem, ThumbItem, TuningData
from usam.training.preferences.reference import Reference, References
from usam.training.preferences.replay import imagined, own_answers
from usam.training.preferences.rows import Asked, Marks, Pair, Preferences, Thumb
from usam.training.preferences.settings import Settings

HELD_REPLAY = 0.2
CORRECTION = "correction"
LONGEST_ANSWER = 512  # tokens; longer ones cost more than they teach


@dataclass
class Preparation:
    """Hears every clip, and asks the model as it is how likely it holds every answer.

    work: where both are kept, a folder named by the checkpoint's fingerprint. replayed: answers about
    imagined clips that are replayed, and twice as many as clips about which own answers are. known: such
    answers that are not, few of which may be lost.
    dropped: rows that cannot be used, by reason.
    """

    model: USAM
    work: Path
    settings: Settings
    replayed: int
    known: int
    seed: int
    report: Callable[[str], None] = print
    execution: Execution = Execution()
    dropped: Counter[str] = field(default_factory=Counter)

    @cached_property
    def clips(self) -> RatedClips:
        return RatedClips(self.work / "clips", self.model, self.work.name)

    @property
    def by_arithmetic(self) -> Path:
        """The folder of what the model says and how likely it holds it, which its arithmetic changes."""
        return self.work / self.execution.arithmetic

    @cached_property
    def references(self) -> References:
        return References(self.by_arithmetic / "references", self.model, self.execution)

    def all(self, preferences: Preferences) -> TuningData:
        """Raises RequestError if nothing is left to learn from."""
        self.model.eval()
        pairs = [(row.asked.held_out, item) for row, item in self.pairs(preferences.pairs)]
        judged: list[Judged] = [item for held, item in pairs if not held]
        judged += self.thumbs([row for row in preferences.thumbs if not row.asked.held_out])
        judged += self.marks([row for row in preferences.marks if not row.asked.held_out])
        if not judged:
            raise RequestError("There is nothing to learn from: no judgement of a clip that is not held out.")
        held = [item for held, item in pairs if held]
        asked = list({row.asked: None for row in preferences.rows if not row.asked.held_out})
        replay = self.replay(asked, names=set(preferences.counts) <= {CORRECTION})
        self.report(f"held out: {len(held)} of {len(pairs)} pairs; replayed: {len(replay)} answers")
        apart = round(len(replay) * HELD_REPLAY)
        # Other seeds than those of what is replayed and of what is asked before and after.
        known = imagined(self.model, self.known, self.seed + 2)
        return TuningData(judged, replay[apart:], held, replay[:apart], known)

    def pairs(self, rows: Sequence[Pair]) -> Iterator[tuple[Pair, PairItem]]:
        chosen = [self.completion(row.asked, row.chosen) for row in rows]
        rejected = [self.completion(row.asked, row.rejected) for row in rows]
        usable = [
            (row, one, other)
            for row, one, other in zip(rows, chosen, rejected, strict=True)
            if one is not None and other is not None
        ]
        ones = self.scored([one for _, one, _ in usable])
        others = self.scored([other for *_, other in usable])
        for (row, one, other), ref, ref_other in zip(usable, ones, others, strict=True):
            settings, corrects = self.settings, row.evidence == CORRECTION
            sft, dpo = (settings.corrected, settings.over) if corrects else (settings.sft, 1.0)
            yield row, PairItem(one, other, ref, ref_other, row.weight, sft, dpo, corrects)

    def thumbs(self, rows: Sequence[Thumb]) -> Iterator[ThumbItem]:
        usable = [(row, one) for row in rows if (one := self.completion(row.asked, row.answer)) is not None]
        completions = [one for _, one in usable]
        others = [
            replace(one, answer=next_.answer)
            for one, next_ in zip(completions, completions[1:] + completions[:1], strict=True)
        ]
        refs, ref_others = self.scored(completions), self.scored(others)
        for (row, one), other, ref, ref_other in zip(usable, others, refs, ref_others, strict=True):
            yield ThumbItem(one, ref, other, ref_other, row.desirable, row.weight)

    def marks(self, rows: Sequence[Marks]) -> Iterator[MarkItem]:
        for row in rows:
            if row.marks and (one := self.completion(row.asked, row.answer)) is not None:
                yield MarkItem(one.heard, one, row.marks, row.weight)

    def replay(self, asked: list[Asked], names: bool) -> list[ReplayItem]:
        """Answers about imagined clips and the model's own about some of the clips, in random order.

        names: whether to keep how things are named, which no taste decides where people only correct.
        """
        Random(self.seed).shuffle(asked)
        heard = [one for one in asked[: self.replayed // 2] if self.heard(one) is not None]
        completions = imagined(self.model, self.replayed, self.seed, names)
        completions += own_answers(self.model, self.clips, heard, self.by_arithmetic / "own", self.report)
        items = [ReplayItem(one, ref) for one, ref in zip(completions, self.scored(completions), strict=True)]
        Random(self.seed).shuffle(items)
        return items

    def scored(self, completions: Sequence[Completion]) -> list[Reference]:
        return self.references.of(completions, self.report)

    def completion(self, asked: Asked, answer: str) -> Completion | None:
        """The answer to be scored, None if its clip cannot be read or it is too long."""
        heard = self.heard(asked)
        ids = self.model.prompts.answer(answer)
        if heard is None or len(ids) > LONGEST_ANSWER:
            self.dropped["audio unreadable" if heard is None else "answer too long"] += 1
            return None
        return Completion(heard, asked_prompt(self.model, asked), ids)

    def hearable(self, asked: Sequence[Asked]) -> list[tuple[Asked, Heard]]:
        """The questions whose clip can be read, with what is heard of it."""
        return [(one, heard) for one in asked if (heard := self.heard(one)) is not None]

    def heard(self, asked: Asked) -> Heard | None:
        try:
            return self.clips.heard(asked)
        except (AudioError, OSError):
            return None
