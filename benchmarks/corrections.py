"""Corrections alone: names of sounds that the model gets wrong are corrected, and asked for on other clips of
the same sounds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from storage import Feedback, open_database
from usam.data.corpus import Example
from usam.data.instructions import SOUND, article
from usam.engine.engine import Engine
from usam.evaluation.judging import names

ANNOTATOR = "corrections"
QUESTION, ASKED_AFTERWARDS = SOUND[1], SOUND[3]
LONGEST = 8.0  # seconds of a clip
CORRECTED_EACH = 3  # clips of one sound
TOKENS = 40


def kinds_of_sound(examples: Sequence[Example], seed: int) -> Iterator[list[Example]]:
    """The clips of each sound of which there are enough: the first is asked about afterwards."""
    by_label: dict[str, list[Example]] = defaultdict(list)
    for one in examples:
        if one.kind == "sound" and one.label and one.seconds <= LONGEST:
            by_label[one.label].append(one)
    labels = sorted(label for label, clips in by_label.items() if len(clips) > 2)
    Random(seed).shuffle(labels)
    for label in labels:
        yield by_label[label][: 1 + CORRECTED_EACH]


def answers(engine: Engine, clips: Sequence[Example]) -> list[str]:
    """The likeliest answer to what each clip is."""
    return [engine.ask(one.path, ASKED_AFTERWARDS, max_new_tokens=TOKENS).text for one in clips]


def correct(
    engine: Engine,
    examples: Sequence[Example],
    folder: Path,
    count: int,
    seed: int,
    report: Callable[[str], None],
) -> list[Example]:
    """Ask for names of sounds, and keep corrections of those that are wrong, until there are enough; returns
    another clip of each sound that was corrected."""
    feedback = Feedback(open_database(f"sqlite:///{folder / 'feedback.db'}"))
    others, corrections = [], 0
    for other, *clips in kinds_of_sound(examples, seed):
        wrong = 0
        for clip in clips:
            answer = engine.ask(clip.path, QUESTION, max_new_tokens=TOKENS)
            if corrections < count and not names(answer.text, clip.label or ""):
                kept = feedback.record_answer(
                    answer.to_json(), annotator=ANNOTATOR, audio_path=str(clip.path)
                )
                feedback.rate(kept, ANNOTATOR, correction=f"I hear {article(clip.label or '')}.")
                wrong, corrections = wrong + 1, corrections + 1
        if wrong:
            others.append(other)
        report(f"{corrections} of {count} corrections")
        if corrections == count:
            break
    feedback.database.close()
    return others


def figures(
    clips: Sequence[Example], before: Sequence[str], after: Sequence[str], name: str
) -> dict[str, Any]:
    """Shares of answers of which a name is right, and of which the first one is, before and after."""
    found: dict[str, Any] = {f"{name}_clips": len(clips)}
    for when, texts in (("before", before), ("after", after)):
        pairs = [(text, one.label or "") for text, one in zip(texts, clips, strict=True)]
        found[f"{name}_{when}"] = round(fmean(names(text, label) for text, label in pairs), 4)
        found[f"{name}_first_{when}"] = round(
            fmean(names(first_name(text), label) for text, label in pairs), 4
        )
    return found


def first_name(answer: str) -> str:
    """The answer as far as its first name."""
    return re.split(r", | or ", answer)[0]
