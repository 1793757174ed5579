"""The way from a clip and a question to an answer, in the loaded app."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from usam import Engine
from usam.audio.clip import load_clip
from usam.audio.samples import SAMPLE_RATE
from usam.benchmark.statistics import median
from usam.schema.tasks import TASKS

CLIPS = Path(__file__).parents[2] / "tests" / "clips"
LENGTHS = (3.0, 10.0, 20.0, 30.0)  # seconds of audio
AGAIN = 10.0  # of the clip that is asked about twice


def answers(engine: Engine, rounds: int) -> dict[str, Any]:
    """First tokens by the clip's length, the second question about it, answers by their length, memory."""
    clip = load_clip(CLIPS / "speech_chapter.ogg").waveform.numpy()
    first: dict[float, list[float]] = {seconds: [] for seconds in LENGTHS}
    second: list[float] = []
    speeds: list[float] = []
    engine.ask((SAMPLE_RATE, clip), max_new_tokens=2)
    for round_ in range(rounds):
        for seconds in LENGTHS:
            heard = np.resize(clip, round(seconds * SAMPLE_RATE))
            heard[0] = round_ / 1000  # another clip each time: nothing is in the cache
            source = (SAMPLE_RATE, heard)
            first[seconds].append(engine.ask(source, max_new_tokens=2).timings.first_token_s)
            if seconds == AGAIN:
                again = engine.ask(source, TASKS["aac"].prompt, max_new_tokens=2)
                second.append(again.timings.first_token_s)
        long = engine.ask((SAMPLE_RATE, clip), max_new_tokens=64)
        speeds.append(long.timings.tokens_per_s)
    return {
        "load_s": round(engine.load_s, 2),
        "first_token_s": {f"{seconds:g} s": median(times) for seconds, times in first.items()},
        "second_question_s": median(second),
        "answer_tokens_per_s": median(speeds),
        "resident_mb": round(resident_mb()),
    }


def resident_mb() -> float:
    """Memory of this process, Linux only."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
