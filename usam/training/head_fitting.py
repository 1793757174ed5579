"""Fits the heads over all encoders' frames, on labelled clips: alone, mixed and in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from usam.adapter.kinds import LOOK_SECONDS, looks_of
from usam.adapter.names import NameHead
from usam.audio.samples import SAMPLE_RATE
from usam.data.augmentation import pad
from usam.data.corpus import Example
from usam.data.labels import plain_label
from usam.encoders.heads.sound_names import is_silent
from usam.errors import AudioError, RequestError
from usam.model.model import USAM
from usam.schema.segments import KINDS, Kind
from usam.schema.tasks import TASKS
from usam.training.stages.kinds import fit_kind_head
from usam.training.stages.names import fit_name_head

REPORTED = 100  # clips
MOST_LOOKS = 8  # of a clip
CLIPS_A_NAME = 2  # at least, of a name that can be told
ROWS = 1_300  # clips in a row: what is heard in one part says little of another
ROW_WEIGHT = 3.0  # of a row, beside a clip
PAUSES = (0.0, 0.1, 0.3, 0.5)  # seconds between two parts
PEAK, QUIETER_DB = 0.5, 8.0  # of a part
LONGEST_PART = 6.0  # seconds
HEARD = 0.3  # of a look has to be something
EVENED_CLIPS = 600  # without speech, on which places of a window are compared

Span = tuple[float, float, Kind]
"""Start and end in seconds of one kind of audio."""


@dataclass(frozen=True)
class HeardLooks:
    """What a head is fitted on of a clip: looks [N, 3D], which of KINDS are heard in each [N, 3], the weight
    of the clip, and what a single sound or instrument is called."""

    looks: Tensor
    kinds: Tensor
    weight: float = 1.0
    kind: Kind = "speech"
    name: str = ""
    collection: str = ""


def fit_heads(
    model: USAM, examples: Sequence[Example], kept: Path, report: Callable[[str], None], seed: int = 0
) -> None:
    """Fit the heads that tell which kinds are heard and what instruments are called. What is heard of clips
    is computed once and kept in a file, as far as it came."""
    heard = hear_looks(model, examples, kept, report, seed)
    if not heard:
        raise RequestError("There is no clip to fit on in the data folder.")
    fit_kinds(model, heard)
    right = fit_names(model, heard)
    report(f"instruments: {right:.3f} of clips of left-out collections have their name among three")


def fit_kinds(model: USAM, heard: Sequence[HeardLooks]) -> None:
    """Fit the head that tells which kinds are heard."""
    head = model.adapter.kinds
    assert head is not None
    weights = [torch.full((len(one.looks),), one.weight / len(one.looks)) for one in heard]
    looks, kinds = torch.cat([one.looks for one in heard]), torch.cat([one.kinds for one in heard])
    fit_kind_head(head, looks, kinds, torch.cat(weights))


def fit_names(model: USAM, heard: Sequence[HeardLooks]) -> float:
    """Give the model a head that tells the names of instruments that several clips have.

    Not of sounds: of those of a collection that a head was not fitted on, 0.10 had their name among the three
    likeliest, and 0.17 among YAMNet's. Returns what `fit_name_head` does.
    """
    clips = [one for one in heard if one.kind == "music" and one.name]
    often = Counter(one.name for one in clips)
    names = sorted(name for name, count in often.items() if count >= CLIPS_A_NAME)
    if not names:
        return 0.0
    config = model.adapter.config
    config.names = {"music": names}
    head = model.adapter.names = NameHead(config).to(model.device)
    named = [one for one in clips if one.name in names]
    return fit_name_head(
        head,
        torch.stack([one.looks.float().mean(0) for one in named]),
        [names.index(one.name) for one in named],
        [one.collection for one in named],
    )


@torch.inference_mode()
def even_blanks(model: USAM, examples: Sequence[Example], report: Callable[[str], None]) -> None:
    """Put the blank lower at those places of a window where, on sounds and music, tokens say nothing more
    often than in the middle of all places: so low that they say nothing as often.

    Alignment leaves that to the tokens of a window: each of them may say what the window holds, and the last
    ones learn to leave it to the others.
    """
    adapter = model.adapter
    assert adapter.anchor is not None
    adapter.config.blank_by_place = ()
    places = adapter.config.queries_per_window
    question = model.prompts.build(TASKS["qa"].prompt).question
    leads: list[list[Tensor]] = [[] for _ in range(places)]
    chosen = [one for one in examples if one.kind != "speech" and not one.background][:EVENED_CLIPS]
    for number, example in enumerate(chosen, 1):
        try:
            frames = model.frames(example.waveform())
        except AudioError:
            continue
        real = torch.ones(1, len(frames), dtype=torch.bool, device=frames.device)
        audio = model.embed_audio(frames[None], real, [question])
        assert audio.logits is not None
        lead = audio.logits[0, :, -1] - audio.logits[0, :, :-1].amax(-1)
        for place in range(places):
            leads[place].append(lead[place::places].float())
        if number % REPORTED == 0:
            report(f"heard {number} of {len(chosen)} clips without speech")
    if not leads[0]:
        return
    blank = [torch.cat(one) for one in leads]
    usual = float(torch.stack([(one > 0).float().mean() for one in blank]).quantile(0.5))
    # By more than this the blank leads in as many tokens as is usual; below 0 where it leads in fewer.
    adapter.config.blank_by_place = [round(max(0.0, float(one.quantile(1 - usual))), 2) for one in blank]
    report(f"blank lower by place: {adapter.config.blank_by_place}")


@torch.inference_mode()
def hear_looks(
    model: USAM, examples: Sequence[Example], kept: Path, report: Callable[[str], None], seed: int = 0
) -> list[HeardLooks]:
    """What is heard of clips and of rows of them; goes on after what is in the file `kept`."""
    known: list[HeardLooks | None] = []
    if kept.exists():
        known = [HeardLooks(**fields) if fields else None for fields in torch.load(kept, weights_only=True)]
    random = Random(seed)
    rows = list(drawn_rows(examples, min(ROWS, len(examples)), random))
    units: list[Example | list[Example]] = [*examples, *rows]
    for index, unit in enumerate(units[len(known) :], len(known) + 1):
        known.append(_heard(model, unit, Random(f"{seed} {index}")))
        if index % REPORTED == 0 or index == len(units):
            report(f"heard {index} of {len(units)} clips")
            part = kept.with_suffix(".part")
            torch.save([vars(one) if one else {} for one in known], part)
            part.rename(kept)
    return [one for one in known if one]


def _heard(model: USAM, unit: Example | list[Example], random: Random) -> HeardLooks | None:
    """Of a clip or a row of clips; None where nothing can be heard."""
    if isinstance(unit, list):
        waveform, spans = in_a_row(unit, random)
        looks = looks_of(model.frames(waveform)).half().cpu()
        shares = kind_shares(spans, len(looks), len(waveform) / SAMPLE_RATE)
        heard = shares.sum(1) > HEARD
        return HeardLooks(looks[heard], shares[heard], ROW_WEIGHT) if heard.any() else None
    try:
        waveform = unit.waveform()
    except AudioError:  # too short to be heard
        return None
    if is_silent(waveform):
        return None
    looks = looks_of(model.frames(waveform))[:MOST_LOOKS].half().cpu()
    kinds = torch.tensor([[float(kind in (unit.kind, unit.background)) for kind in KINDS]])
    name = plain_label(unit.label) if unit.label and unit.kind != "speech" else ""
    return HeardLooks(looks, kinds.expand(len(looks), -1), 1.0, unit.kind, name, unit.source)


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
