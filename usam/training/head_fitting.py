"""What the kind head is fitted on: labelled clips, alone, mixed and in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from usam.adapter.kinds import LOOK_SECONDS, looks_of
from usam.audio.samples import SAMPLE_RATE
from usam.data.augmentation import pad
from usam.data.corpus import Example
from usam.encoders.heads.sound_names import is_silent
from usam.model.model import USAM
from usam.schema.segments import KINDS, Kind
from usam.training.stages.kinds import fit_kind_head

REPORTED = 100  # clips
MOST_LOOKS = 6  # of a clip
ROWS = 350  # clips in a row: what is heard in one part says little of another
ROW_WEIGHT = 3.0  # of a row, beside a clip
PAUSES = (0.0, 0.1, 0.3, 0.5)  # seconds between two parts
PEAK, QUIETER_DB = 0.5, 8.0  # of a part
LONGEST_PART = 6.0  # seconds
HEARD = 0.3  # of a look has to be something

Span = tuple[float, float, Kind]
"""Start and end in seconds of one kind of audio."""


@torch.inference_mode()
def fit_kinds(
    model: USAM, examples: Sequence[Example], kept: Path, report: Callable[[str], None], seed: int = 0
) -> None:
    """Fit the head that tells which kinds are heard, or read it where it was fitted before."""
    head = model.adapter.kinds
    assert head is not None
    if kept.exists():
        head.load_state_dict(torch.load(kept, weights_only=True))
        return
    looks, kinds, weights = [], [], []
    for index, example in enumerate(examples, 1):
        waveform = example.waveform()
        if is_silent(waveform):
            continue
        found = looks_of(model.frames(waveform))[:MOST_LOOKS].cpu()
        known = {example.kind, example.background}
        looks.append(found)
        kinds.append(torch.tensor([[float(kind in known) for kind in KINDS]]).expand(len(found), -1))
        weights.append(torch.full((len(found),), 1 / len(found)))
        if index % REPORTED == 0:
            report(f"kinds of {index} of {len(examples)} clips")
    random = Random(seed)
    for parts in drawn_rows(examples, min(ROWS, len(examples)), random):
        waveform, spans = in_a_row(parts, random)
        found = looks_of(model.frames(waveform)).cpu()
        shares = kind_shares(spans, len(found), len(waveform) / SAMPLE_RATE)
        heard = shares.sum(1) > HEARD
        looks.append(found[heard])
        kinds.append(shares[heard])
        weights.append(torch.full((int(heard.sum()),), ROW_WEIGHT / max(1, int(heard.sum()))))
    if looks:
        fit_kind_head(head, torch.cat(looks), torch.cat(kinds), torch.cat(weights))
        torch.save(head.state_dict(), kept)


def drawn_rows(examples: Sequence[Example], count: int, random: Random) -> Iterator[list[Example]]:
    """`count` rows of two or three short clips, each of another kind; none if there is but one kind."""
    short = [
        example
        for example in examples
        if example.seconds <= LONGEST_PART and not example.background and example.source != "silence"
    ]
    pools = [pool for kind in KINDS if (pool := [example for example in short if example.kind == kind])]
    for _ in range(count if len(pools) > 1 else 0):
        several = random.sample(pools, min(len(pools), random.choice((2, 3, 3))))
        yield [random.choice(pool) for pool in several]


def in_a_row(parts: Sequence[Example], random: Random) -> tuple[Tensor, list[Span]]:
    """Clips one after another, not all as loud, some after a pause: the waveform [samples], and what is heard
    when."""
    pieces: list[Tensor] = []
    spans: list[Span] = []
    at = 0
    for part in parts:
        waveform = part.waveform()
        peak = PEAK * 10 ** (-random.uniform(0, QUIETER_DB) / 20)
        scaled = waveform * peak / waveform.abs().max().clamp_min(1e-4)
        pieces.append(pad(scaled, 0, random.choice(PAUSES) * SAMPLE_RATE))
        spans.append((at / SAMPLE_RATE, (at + len(waveform)) / SAMPLE_RATE, part.kind))
        at += len(pieces[-1])
    return torch.cat(pieces), spans


def kind_shares(spans: Sequence[Span], looks: int, seconds: float) -> Tensor:
    """Through how much of each look each of KINDS is heard [looks, 3], in a clip of so many seconds."""
    shares = torch.zeros(looks, len(KINDS))
    for look in range(looks):
        start = look * LOOK_SECONDS
        end = start + LOOK_SECONDS if look + 1 < looks else max(seconds, start + LOOK_SECONDS / 2)
        for first, last, kind in spans:
            common = max(0.0, min(end, last) - max(start, first))
            shares[look, KINDS.index(kind)] += common / (end - start)
    return shares
