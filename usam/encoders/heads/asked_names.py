"""Names that a question asks for: they are listened for where they would not be said unasked.

Asked whether it hears a dog, a listener says yes to a sound that could be many things. So what a question
names is among the words where it is one of the likelier names, and not the surest alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from usam.encoders.heads.kind_states import KindSpan
from usam.encoders.heads.name_words import stems
from usam.encoders.heads.sound_classes import plain_name
from usam.encoders.heads.sound_names import is_kind, kind_columns, kinds_heard, opening_of
from usam.encoders.words import Heard
from usam.schema.segments import KINDS
from usam.schema.words import Word

# By YAMNet's names alone, asked for the label of 1,785 clips and for another's, 0.79 of instruments are
# told (0.77 by the 6 likeliest, 0.79 by 20) and 0.60 of sounds. With 20 there is a violin in any music.
LIKELY = 10  # of YAMNet's names of one kind
LIKELY_FITTED = 3  # of the fitted head's names of one kind
UNASKED = frozenset(
    stems(
        "do does did you i can could what which who where when why how is are was were be there any anything "
        "anyone someone something this that these those it hear heard listen sound sounds noise audio clip "
        "music recording instrument play plays playing played tell me say says said name describe kind type "
        "happen happens happening come comes first last after before background behind while yes have has "
        "made make makes speech speak speaks speaking speaker voice person people please word words loud soft"
    )
)


def asked_for(heard: Heard, question: str) -> list[Word]:
    """What the question names and may be heard, as words of the audio expert without their brackets, for each
    span of a kind at most one."""
    asked = stems(question) - UNASKED
    if not asked or heard.sounds is None:
        return []
    found: list[Word] = []
    for span in kinds_heard(heard):
        if span.kinds != ("speech",) and (name := _likely(heard, span, asked)):
            found.append(Word(span.start, span.end, *name))
    return found


def _likely(heard: Heard, span: KindSpan, asked: set[str]) -> tuple[str, float] | None:
    """The likely name that shares most words with what is asked for, and how probable it is."""
    sounds = heard.sounds
    assert sounds is not None
    first = int(span.start * sounds.rate)
    scores = sounds.scores[first : max(first + 1, round(span.end * sounds.rate))].mean(0)
    columns = kind_columns(sounds.classes)
    named = torch.zeros(len(sounds.classes), dtype=torch.bool)
    for kind in span.kinds:
        if kind != "speech":
            named[list(columns[KINDS.index(kind)])] = True
    best = _best(scores.where(named, -1.0), sounds.classes, LIKELY)
    candidates = [(plain_name(name), score) for name, score in best]
    if heard.names is not None:
        probable = heard.names.between(span.start, span.end)
        for kind in span.kinds:
            of_kind = torch.tensor([one == kind for one in heard.names.kinds])
            candidates += _best(probable.where(of_kind, -1.0), heard.names.names, LIKELY_FITTED)
    shared = [(len(asked & stems(name)), score, name) for name, score in candidates]
    most, score, name = max(shared, default=(0, 0.0, ""))
    return (name, score) if most else None


def _best(scores: Tensor, names: Sequence[str], count: int) -> list[tuple[str, float]]:
    best, indices = scores.topk(min(count, len(scores)))
    return [(names[i], score) for i, score in zip(indices.tolist(), best.tolist(), strict=True) if score > 0]


def with_asked(words: Sequence[Word], asked: Sequence[Word]) -> tuple[Word, ...]:
    """The audio expert's words with what was asked for in the bracket of its time, unless it is there."""
    found = list(words)
    for one in asked:
        inside = [
            index
            for index, word in enumerate(found)
            if word.after == ")" and not word.is_place and word.start < one.end and word.end > one.start
        ]
        present = set[str]().union(*(stems(word.text) for word in found if word.end > one.start))
        if not inside or stems(one.text) <= present:
            continue
        place = inside[0]
        closing = found[place]
        added = replace(one, start=closing.start, end=closing.end, before=", ", after=")")
        if is_kind(closing.text):  # the kinds alone: they open a bracket of names
            kinds = [kind for kind in KINDS if kind in closing.text.split(" with ")]
            found[place] = replace(added, before=f" {opening_of(kinds)}")
        else:
            found[place : place + 1] = [replace(closing, after=""), added]
    return tuple(found)
