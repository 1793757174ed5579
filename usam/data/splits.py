"""The public rule that keeps some of the clips out of training."""

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

from usam.data.corpus import Example

# Held out whole, because a clip from a source never trained on is the closest thing to a stranger's clip.
HELD_SOURCES = frozenset({"petz", "ibm_max", "soundfx", "sonicpi"})

# speechocean762: three boys, girls, men and women of various ages; fsdd: one of the two native speakers.
HELD_GROUPS = frozenset(
    {f"speechocean762:{speaker}" for speaker in ("0094", "5015", "6048", "0093", "3208", "6067")}
    | {f"speechocean762:{speaker}" for speaker in ("0461", "1293", "2236", "0306", "2450", "9613")}
    | {"fsdd:theo"}
)

# Share of the groups of every other source, drawn by the hash of the group's name: a stranger to the data
# draws the same clips, and a new clip moves none of the others.
HELD_SHARES = {
    "librispeech_gender": 0.12,
    "picovoice_wakeword": 0.12,
    "picovoice_intent": 0.08,
    "berklee": 0.08,
    "cc_sounds": 0.08,
    "donateacry": 0.08,
    "avl_drumkits": 0.08,
    "fsdk_instruments": 0.08,
    "fillets": 0.12,
    "tuxpaint": 0.08,
}

# The one reader of dc_tts_reader is in both parts, so this holds out sentences, not a speaker: the last
# quarter in reading order, since neighbours in the running text share words.
HELD_TAILS = {"dc_tts_reader": 0.25}


def split(
    examples: Iterable[Example], also_heldout: Collection[str] = ()
) -> tuple[list[Example], list[Example]]:
    """Training and held-out examples, both in the given order; no group is in both.

    The rule is the constants of this module: whole sources and speakers first, since a model that has heard
    the same voice, microphone or take is measured on its memory. Synthetic speech is always for training:
    only recordings say how well people are understood.
    `also_heldout` names further clips (see `Example.name`); each takes its whole group along.
    """
    examples = list(examples)
    named = set(also_heldout)
    held = {example.group for example in examples if example.name in named or _is_held(example)}
    for source, share in HELD_TAILS.items():
        groups = list(dict.fromkeys(example.group for example in examples if example.source == source))
        held.update(groups[round(len(groups) * (1 - share)) :])
    train = [example for example in examples if example.group not in held]
    heldout = [example for example in examples if example.group in held]
    return train, heldout


def read_heldout(file: Path | None) -> list[str]:
    """Names of clips to keep out, one a line of the file; none without a file."""
    return [line.strip() for line in file.read_text().splitlines() if line.strip()] if file else []


def _is_held(example: Example) -> bool:
    return (
        example.source in HELD_SOURCES
        or example.group in HELD_GROUPS
        or _fraction(example.group) < HELD_SHARES.get(example.source, 0.0)
    )


def _fraction(name: str) -> float:
    """Uniform in [0, 1), fixed by the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48
