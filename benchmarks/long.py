"""Whole recordings: how fast they are written down, how well, and where their parts are found.

    python -m benchmarks.long --data audio [--minutes 10] [--rounds 3] [--faster-whisper FOLDER]
        [--whisper-cpp FILE] [--lengths 1 10 60] [--json]

`--data` is a folder of labelled clips with a manifest.csv; its held-out clips are joined: sentences to one
recording (speed, word error rate), clips of all kinds to another (borders of segments), spoken words with
pauses to a third (times of words). `--faster-whisper` is a folder of Whisper base in CTranslate2's format,
which the package faster-whisper transcribes in turn with U-SAM, with int8 weights and as many threads.
`--whisper-cpp` is a file of Whisper base in 8 bits (`python -m benchmarks.whisper_ggml` writes one), which
the package pywhispercpp transcribes in turn too. Peak memory and time are measured on recordings of
`--lengths` minutes.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

from usam.audio.samples import SAMPLE_RATE, pcm16
from usam.engine.engine import Engine
from usam.evaluation.clips import TestClip, read_clips
from usam.evaluation.metrics import normalised, word_errors
from usam.schema.segments import Segment, joined

NEAR = 0.5  # seconds within which a border is right
PAUSE = 0.5  # seconds between clips
SHORTEST = {"speech": 1.5, "sound": 2.0, "music": 4.0}  # seconds of a clip that is a segment of its own
LONGEST = 15.0  # seconds of a clip
LOUD = 0.1  # of a word's peak: where it begins


@dataclass(frozen=True)
class Recording:
    """A file made of clips, and the second at which each begins."""

    file: Path
    clips: Sequence[TestClip]
    starts: Sequence[float]
    seconds: float


def report(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def join(clips: Sequence[TestClip], seconds: float, pause: float, file: Path) -> Recording:
    """Clips one after another until so many seconds are full, or there are no more."""
    parts: list[np.ndarray] = []
    starts: list[float] = []
    samples = 0
    for clip in clips:
        if samples / SAMPLE_RATE >= seconds:
            break
        starts.append(samples / SAMPLE_RATE)
        part = clip.audio.waveform.numpy()
        part = 0.5 * part / max(1e-3, float(np.abs(part).max()))
        parts += [part, np.zeros(round(pause * SAMPLE_RATE), np.float32)]
        samples += sum(map(len, parts[-2:]))
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        out.writeframes(pcm16(np.concatenate(parts)).tobytes())
    return Recording(file, clips[: len(starts)], starts, samples / SAMPLE_RATE)


def heard(engine: Engine, recording: Recording) -> list[Segment]:
    parts = engine.transcribe(recording.file)
    return joined(segment for part in parts for segment in part.segments)


def text(segments: Sequence[Segment]) -> str:
    return " ".join(segment.text for segment in segments if segment.text)


def errors(recording: Recording, transcript: str) -> float:
    spoken = " ".join(clip.transcript or "" for clip in recording.clips)
    return float(word_errors([(spoken, transcript)])["value"])


def borders_f1(segments: Sequence[Segment], recording: Recording) -> float:
    """Of the times at which the kind of audio changes, each matched once. Silence between two is no kind."""
    kinds = [next(iter(clip.kinds)) for clip in recording.clips]
    true = [
        start
        for start, before, kind in zip(recording.starts[1:], kinds, kinds[1:], strict=False)
        if kind != before
    ]
    found: list[float] = []
    last: Segment | None = None
    for segment in (one for one in segments if one.kind != "silence"):
        if last is not None and last.kind != segment.kind:
            found.append((last.end + segment.start) / 2)
        last = segment
    unmatched = list(found)
    hits = 0
    for border in true:
        near = [at for at in unmatched if abs(at - border) <= NEAR]
        if near:
            unmatched.remove(min(near, key=lambda at: abs(at - border)))
            hits += 1
    return 2 * hits / max(1, len(true) + len(found))


def word_time_errors(segments: Sequence[Segment], recording: Recording) -> list[float]:
    """Seconds by which each word that was heard rightly begins too early or late."""
    transcript = [word for segment in segments for word in segment.words]
    found: list[float] = []
    for clip, start in zip(recording.clips, recording.starts, strict=True):
        wave_ = clip.audio.waveform.abs()
        begins = start + int((wave_ > LOUD * wave_.max()).nonzero()[0]) / SAMPLE_RATE
        near = [
            word
            for word in transcript
            if abs(word.start - begins) < 1.0 and normalised(word.text) == normalised(clip.transcript or "")
        ]
        if near:
            found.append(min(abs(word.start - begins) for word in near))
    return found


def faster_whisper(folder: Path, threads: int) -> Callable[[Path], str]:
    from faster_whisper import WhisperModel  # type: ignore[import-not-found,unused-ignore]

    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)

    def transcribe(file: Path) -> str:
        segments, _ = model.transcribe(str(file), beam_size=1, word_timestamps=True, language="en")
        return " ".join(segment.text for segment in segments)

    return transcribe


def whisper_cpp(file: Path, threads: int) -> Callable[[Path], str]:
    from pywhispercpp.model import Model  # type: ignore[import-not-found,unused-ignore]

    model = Model(str(file), n_threads=threads, language="en", print_progress=False, print_realtime=False)

    def transcribe(recording: Path) -> str:
        return " ".join(segment.text for segment in model.transcribe(str(recording), token_timestamps=True))

    return transcribe


def recordings(
    data: Path, minutes: float, folder: Path, lengths: Sequence[float] = ()
) -> dict[str, Recording]:
    clips = read_clips(data)
    random = Random(0)
    sentences = [clip for clip in clips.sentences if clip.language == "en" and clip.transcript]
    random.shuffle(sentences)
    longest = 60 * max(minutes, *lengths) if lengths else 60 * minutes
    several = sentences * (1 + int(longest / max(1.0, sum(clip.seconds for clip in sentences))))
    kinds = [clip for kind, least in SHORTEST.items() for clip in clips.of(kind) if least <= clip.seconds]
    kinds = [clip for clip in kinds if clip.seconds <= LONGEST]
    random.shuffle(kinds)
    words = [clip for clip in clips.of("speech") if len((clip.transcript or "").split()) == 1]
    random.shuffle(words)
    return {
        "speech": join(several, minutes * 60, PAUSE, folder / "speech.wav"),
        "mixed": join(kinds, minutes * 60, 0.0, folder / "mixed.wav"),
        "words": join(words, 120, PAUSE, folder / "words.wav"),
        **{
            f"{length:g}": join(several, length * 60, PAUSE, folder / f"{length:g}.wav") for length in lengths
        },
    }


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    lengths = sorted(options.lengths)
    made = recordings(options.data, options.minutes, folder, lengths)
    engine = Engine.load()
    peak: dict[str, int] = {}
    took: dict[str, float] = {}
    for length in (f"{length:g}" for length in lengths):
        began = time.monotonic()
        for _ in engine.transcribe(made[length].file):
            pass
        took[length] = (time.monotonic() - began) / made[length].seconds
        peak[length] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        report(f"{length} minutes: {peak[length]} MB at most, {took[length]:.3f} of real time")
    ways: dict[str, Callable[[Path], str]] = {
        "usam": lambda file: text(heard(engine, Recording(file, (), (), 0.0)))
    }
    if options.faster_whisper:
        ways["faster_whisper"] = faster_whisper(options.faster_whisper, torch.get_num_threads())
    if options.whisper_cpp:
        ways["whisper_cpp"] = whisper_cpp(options.whisper_cpp, torch.get_num_threads())
    factors: dict[str, list[float]] = {name: [] for name in ways}
    rates: dict[str, float] = {}
    for turn in range(options.rounds):
        for name, transcribe in ways.items():
            began = time.monotonic()
            transcript = transcribe(made["speech"].file)
            factors[name].append((time.monotonic() - began) / made["speech"].seconds)
            rates[name] = errors(made["speech"], transcript)
            report(f"round {turn + 1}, {name}: {factors[name][-1]:.3f} of real time")
    times = word_time_errors(heard(engine, made["words"]), made["words"])
    middle = {name: statistics.median(values) for name, values in factors.items()}
    ratios = {
        f"vs_{name}": statistics.median(
            theirs / ours for theirs, ours in zip(factors[name], factors["usam"], strict=True)
        )
        for name in ways
        if name != "usam"
    }
    return {
        "seconds": made["speech"].seconds,
        "real_time_factor": middle,
        "word_error_rate": rates,
        "ratios": ratios,
        "segments_f1": borders_f1(heard(engine, made["mixed"]), made["mixed"]),
        "word_time_error_s": statistics.median(times) if times else None,
        "words_timed": len(times),
        "peak_mb": peak,
        "real_time_factor_by_minutes": took,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--faster-whisper", type=Path, metavar="FOLDER")
    parser.add_argument("--whisper-cpp", type=Path, metavar="FILE")
    parser.add_argument("--lengths", type=float, nargs="+", default=[1.0, 10.0], metavar="MINUTES")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options, Path(folder))
    print(json.dumps(found, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
