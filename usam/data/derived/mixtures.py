"""Speech over music and speech with a sound behind it, mixed from the clips at hand."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from usam.audio.samples import SAMPLE_RATE
from usam.data.augmentation import loop, mix
from usam.data.corpus import Example
from usam.data.derived.manifest import made_once

RATIO = (-3.0, 12.0)  # dB of the voice over what is behind it
LONGEST_VOICE, SHORTEST_BACKGROUND = 8.0, 1.0  # seconds


def write_mixtures(folder: Path, examples: Sequence[Example], count: int, seed: int) -> Iterator[Example]:
    """`count` mixed clips in a folder, made once and never from other clips; yields their examples.

    The voice keeps its transcript; `background` is the kind of what is behind it, `label` its name.
    """
    voices = [e for e in examples if e.transcript and e.seconds <= LONGEST_VOICE]
    behind = [e for e in examples if e.kind != "speech" and e.label and e.seconds >= SHORTEST_BACKGROUND]
    write = partial(_write, folder, voices, behind, seed)
    return made_once(folder, "mixture", count if voices and behind else 0, write)


def _write(
    folder: Path, voices: Sequence[Example], behind: Sequence[Example], seed: int, index: int
) -> dict[str, str | float | None]:
    rng = np.random.default_rng((seed, index))
    voice, other = voices[int(rng.integers(len(voices)))], behind[int(rng.integers(len(behind)))]
    spoken, background = voice.waveform(), other.waveform()
    mixed = mix(spoken, loop(background, len(spoken), rng), float(rng.uniform(*RATIO)))
    mixed = mixed / mixed.abs().max().clamp_min(1.0)
    file = folder / f"{index:05d}.flac"
    soundfile.write(file, mixed.numpy(), SAMPLE_RATE, format="FLAC")
    return {
        "file": file.name,
        "seconds": len(mixed) / SAMPLE_RATE,
        "transcript": voice.transcript,
        "label": other.label,
        "background": other.kind,
        "licence": f"{voice.licence}; {other.licence}",
    }
