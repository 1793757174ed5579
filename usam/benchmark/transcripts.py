"""Transcripts beside those of Whisper base by transformers: how long they take, how many words are wrong.

Both get the same clips, one after the other. Whisper reads 30 s whatever a clip's length, as its decoder
was trained to.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from usam import Engine
from usam.audio.samples import SAMPLE_RATE
from usam.benchmark.statistics import median
from usam.data.splits import read_heldout
from usam.encoders import Whisper
from usam.encoders.whisper_decoder import load_transcriber
from usam.evaluation.clips import read_clips
from usam.evaluation.metrics import word_errors
from usam.model.pretrained import fetch
from usam.schema.interventions import DropRedundant, Intervention

OF_A_KIND = 60  # clips of a data folder, as many as the model card's table has

Spoken = tuple[Tensor, str]


def transcripts(engine: Engine, clips: Sequence[Spoken]) -> dict[str, Any]:
    """Seconds a clip and word error rate: of Whisper, U-SAM, and U-SAM without the redundant audio tokens."""
    whisper = load_transcriber(fetch("mini").encoders[Whisper.name])
    writers: dict[str, Callable[[Tensor], str]] = {
        "usam nf4": lambda heard: written(engine, heard),
        "without redundant": lambda heard: written(engine, heard, DropRedundant()),
        "whisper base": whisper.transcribe,
    }
    for write in writers.values():
        write(clips[0][0][: SAMPLE_RATE // 2])  # warm
    seconds: dict[str, list[float]] = {name: [] for name in writers}
    texts: dict[str, list[tuple[str, str]]] = {name: [] for name in writers}
    for heard, transcript in clips:
        for name, write in writers.items():
            started = time.perf_counter()
            text = write(heard)
            seconds[name].append(time.perf_counter() - started)
            texts[name].append((transcript, text))
    return {
        "clips": len(clips),
        "audio_s": round(sum(len(heard) for heard, _ in clips) / SAMPLE_RATE, 1),
        "median_s": {name: median(times) for name, times in seconds.items()},
        "wer": {name: round(word_errors(pairs)["value"], 3) for name, pairs in texts.items()},
    }


def written(engine: Engine, heard: Tensor, change: Intervention | None = None) -> str:
    """The transcript of a clip [samples] that is encoded anew: one heard before is answered sooner."""
    fresh = heard * (0.999 if change else 1.0)
    return engine.ask((SAMPLE_RATE, fresh.numpy()), task="asr", intervention=change).text


def held_out_speech(data: Path, checkpoint: Path) -> list[Spoken]:
    """Waveforms [samples] with their transcripts, those of the checkpoint's card. Raises UsamError."""
    names = checkpoint / "heldout.txt"
    clips = read_clips(data, OF_A_KIND, read_heldout(names if names.is_file() else None)).single
    return [(clip.waveform, clip.transcript) for clip in clips if clip.transcript]
