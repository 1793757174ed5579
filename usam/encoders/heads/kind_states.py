"""Which kinds of audio are heard together, part after part: the likeliest course of scores over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from usam.encoders.words import KindScores
from usam.schema.segments import KINDS, Kind, SegmentKind

State = tuple[int, ...]
"""What is heard at once, as indices of KINDS."""
STATES: tuple[State, ...] = ((), (0,), (1,), (2,), (0, 1), (0, 2))
SWITCH = 6.0  # nats that a change of what is heard has to be worth
AT_ONCE = 1.0  # nats that two kinds at once have to be worth in every look
# Of the scores of a `KindHead`, fitted on labelled clips alone, mixed and in a row.
NATS = 12.0  # for a score of one
HEAD_AT_ONCE = -1.2  # what lies behind speech is fainter than the head expects
HEAD_SWITCH = 4.0
HEARD = STATES[1:]  # it was never shown silence


@dataclass(frozen=True)
class KindSpan:
    """A stretch of a clip, in seconds, through which the same kinds are heard."""

    start: float
    end: float
    kinds: tuple[Kind, ...]


def kind_spans(scores: KindScores, quiet: Tensor, end: float) -> list[KindSpan]:
    """The spans of a clip of `end` seconds, one after the other. Rows that are `quiet` [N] tell nothing."""
    log_odds = (NATS * scores.scores.float()).masked_fill(quiet[:, None], 0.0)
    # One look at a single word is too little to expect something behind it.
    at_once = HEAD_AT_ONCE if len(log_odds) > 1 else AT_ONCE
    path = likeliest_kinds(log_odds, states=HEARD, at_once=at_once, switch=HEAD_SWITCH)
    found: list[KindSpan] = []
    row = 0
    for state, rows in groupby(path):
        row += len(list(rows))
        start = found[-1].end if found else 0.0
        found.append(
            KindSpan(start, end if row == len(path) else row * scores.seconds, tuple(KINDS[k] for k in state))
        )
    return found


def kind_of(state: State) -> SegmentKind:
    """What one of STATES is called."""
    return "mixed" if len(state) > 1 else KINDS[state[0]] if state else "silence"


def likeliest_kinds(
    log_odds: Tensor,
    before: Sequence[State] = (),
    states: Sequence[State] = STATES,
    at_once: float = AT_ONCE,
    switch: float = SWITCH,
) -> list[State]:
    """The likeliest of `states` in every look [T, 3], when each change is dear (Viterbi).

    before: states one of which was heard until then; without any, every one is as likely to begin with.
    at_once, switch: nats that two kinds at once have to be worth in every look, and that a change has to be.
    """
    there = torch.nn.functional.logsigmoid(log_odds).double().numpy()
    absent = torch.nn.functional.logsigmoid(-log_odds).double().numpy()
    emitted = np.stack([_likelihood(state, there, absent, at_once) for state in states], axis=1)
    total = emitted[0] - [switch if before and state not in before else 0.0 for state in states]
    came = np.zeros(emitted.shape, np.int64)
    stay = np.arange(len(states))
    for look in range(1, len(emitted)):
        best = int(total.argmax())
        switched = total[best] - switch
        came[look] = np.where(total >= switched, stay, best)
        total = np.maximum(total, switched) + emitted[look]
    path = [int(total.argmax())]
    for look in range(len(emitted) - 1, 0, -1):
        path.append(int(came[look, path[-1]]))
    return [states[state] for state in reversed(path)]


def _likelihood(state: State, there: np.ndarray, absent: np.ndarray, at_once: float) -> np.ndarray:
    found = sum(there[:, kind] if kind in state else absent[:, kind] for kind in range(len(KINDS)))
    return np.asarray(found) - (at_once if len(state) > 1 else 0.0)
