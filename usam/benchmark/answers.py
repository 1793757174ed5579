"""The way from a clip and a question to an answer, in the loaded app."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from usam import Engine
from usam.audio.samples import SAMPLE_RATE
from usam.benchmark.statistics import median
from usam.schema.tasks import TASKS

LENGTHS = (3.0, 10.0, 20.0, 30.0)  # seconds of audio
AGAIN = 10.0  # of the clip that is asked about twice


def answers(engine: Engine, rounds: int, waveform: Tensor | None = None) -> dict[str, Any]:
    """First tokens by the clip's length, the second question about it, an answer's speed, memory.

    waveform: [samples] that is cut or repeated to each length; noise without one, which takes as long to
    encode, but holds no words to write down.
    """
    clip = (noise(AGAIN) if waveform is None else waveform).numpy()
    usual = np.resize(clip, round(AGAIN * SAMPLE_RATE))
    first: dict[float, list[float]] = {seconds: [] for seconds in LENGTHS}
    second: list[float] = []
    speeds: list[float] = []
    engine.ask((SAMPLE_RATE, usual), max_new_tokens=2)
    for round_ in range(rounds):
        for seconds in LENGTHS:
            heard = np.resize(clip, round(seconds * SAMPLE_RATE))
            heard[0] = round_ / 1000  # another clip each time: nothing is in the cache
            source = (SAMPLE_RATE, heard)
            first[seconds].append(engine.ask(source, max_new_tokens=2).timings.first_token_s)
            if seconds == AGAIN:
                again = engine.ask(source, TASKS["aac"].prompt, max_new_tokens=2)
                second.append(again.timings.first_token_s)
        long = engine.ask((SAMPLE_RATE, usual), max_new_tokens=64)
        speeds.append(long.timings.tokens_per_s)
    return {
        "load_s": round(engine.load_s, 2),
        "first_token_s": {f"{seconds:g} s": median(times) for seconds, times in first.items()},
        "second_question_s": median(second),
        "answer_tokens_per_s": median(speeds),
        "resident_mb": resident_mb(),
    }


def noise(seconds: float) -> Tensor:
    """White noise [samples]."""
    generator = torch.Generator().manual_seed(0)
    return 0.1 * torch.randn(round(seconds * SAMPLE_RATE), generator=generator)


def resident_mb() -> int | None:
    """Memory of this process; None where the system does not report it (Linux does)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
    except OSError:
        return None
