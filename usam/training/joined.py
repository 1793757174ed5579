"""Utterances said one after another: recordings with transcripts are sentences, people upload paragraphs."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from usam.audio import SAMPLE_RATE, load_clip
from usam.training.augment import pad
from usam.training.corpora import Example

SECONDS = (6.0, 16.0)  # without the last utterance
PAUSE = (0.1, 0.8)


def write_joined(folder: Path, examples: Sequence[Example], count: int, seed: int) -> Iterator[Example]:
    """`count` clips of several utterances of one source, made once; yields their examples."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.jsonl"
    if not manifest.exists():
        spoken = defaultdict(list)
        for example in examples:
            if example.kind == "speech" and example.transcript and example.background is None:
                spoken[example.source].append(example)
        lines = [json.dumps(_write(folder, index, spoken, seed)) for index in range(count if spoken else 0)]
        manifest.write_text("\n".join(lines))
    for line in map(json.loads, manifest.read_text().splitlines()):
        path = folder / line.pop("file")
        yield replace(
            Example(path, 0.0, "speech", None, None, f"joined:{path.stem}", "joined", "", "en"), **line
        )


def _write(folder: Path, index: int, spoken: dict[str, list[Example]], seed: int) -> dict[str, str | float]:
    rng = np.random.default_rng((seed, index))
    sources = sorted(spoken)
    sizes = np.array([len(spoken[source]) for source in sources])
    said = spoken[sources[int(rng.choice(len(sources), p=sizes / sizes.sum()))]]
    wanted, samples = rng.uniform(*SECONDS) * SAMPLE_RATE, 0
    parts: list[Tensor] = []
    chosen: list[Example] = []
    while samples < wanted:
        chosen.append(said[int(rng.integers(len(said)))])
        start, end = chosen[-1].span or (None, None)
        waveform = load_clip(chosen[-1].path, start, end).waveform
        parts.append(pad(waveform, 0, rng.uniform(*PAUSE) * SAMPLE_RATE))
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
