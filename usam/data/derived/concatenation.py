"""Utterances said one after another: recordings with transcripts are sentences, people upload paragraphs."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from usam.audio.samples import SAMPLE_RATE
from usam.data.augmentation import pad
from usam.data.corpus import Example
from usam.data.derived.manifest import made_once

SECONDS = (6.0, 16.0)  # without the last utterance
PAUSE = (0.1, 0.8)


def write_joined(folder: Path, examples: Sequence[Example], count: int, seed: int) -> Iterator[Example]:
    """`count` clips of several utterances of one source, made once; yields their examples."""
    spoken = defaultdict(list)
    for example in examples:
        if example.kind == "speech" and example.transcript and example.background is None:
            spoken[example.source].append(example)
    write = partial(_write, folder, spoken, seed)
    return made_once(folder, "joined", count if spoken else 0, write)


def _write(folder: Path, spoken: dict[str, list[Example]], seed: int, index: int) -> dict[str, str | float]:
    rng = np.random.default_rng((seed, index))
    sources = sorted(spoken)
    sizes = np.array([len(spoken[source]) for source in sources])
    said = spoken[sources[int(rng.choice(len(sources), p=sizes / sizes.sum()))]]
    wanted, samples = rng.uniform(*SECONDS) * SAMPLE_RATE, 0
    parts: list[Tensor] = []
    chosen: list[Example] = []
    while samples < wanted:
        chosen.append(said[int(rng.integers(len(said)))])
        parts.append(pad(chosen[-1].waveform(), 0, rng.uniform(*PAUSE) * SAMPLE_RATE))
        samples += len(parts[-1])
    joined = torch.cat(parts)
    file = folder / f"{index:05d}.flac"
    soundfile.write(file, joined.numpy(), SAMPLE_RATE, format="FLAC")
    return {
        "file": file.name,
        "seconds": len(joined) / SAMPLE_RATE,
        "transcript": " ".join(example.transcript or "" for example in chosen),
        "licence": "; ".join(sorted({example.licence for example in chosen})),
    }
