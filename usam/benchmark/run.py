"""`python -m usam bench`: how fast answers are, beside other runtimes, in the app, and beside Whisper."""

import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from usam.benchmark.answers import answers
from usam.benchmark.decoders import RUNTIMES, USAM_NF4, Models, contended, decode, growth
from usam.benchmark.statistics import median, ratio
from usam.checkpoints.layout import bundled
from usam.checkpoints.resolve import checkpoint_folder
from usam.engine.engine import Engine
from usam.errors import RequestError

THREADS = (1, 2)
MAX_TOKENS = 1024
Report = Callable[[str], None]
Spoken = tuple[torch.Tensor, str]
Speeds = Mapping[str, Mapping[str, float]]


def bench(
    rounds: int = 5,
    tokens: int = 128,
    data: Path | None = None,
    plot: Path | None = None,
    report: Report = lambda message: print(message, file=sys.stderr, flush=True),
    checkpoint: Path | None = None,
) -> dict[str, Any]:
    """All figures as one JSON-able dictionary; drawn to `plot` as well, if given.

    data: a corpus folder whose held-out speech is asked about and transcribed; without one noise is asked
    about, and `transcripts` is None. checkpoint: a folder instead of the shipped one. A figure of llama.cpp
    is None where that cannot be installed, with a sentence to `report`.
    Raises UsamError before anything is measured if an option cannot be met.
    """
    if rounds < 1 or not 1 <= tokens <= MAX_TOKENS:
        raise RequestError(f"The benchmark takes at least one round, and 1 to {MAX_TOKENS} tokens.")
    draw = plotter(plot)
    folder = checkpoint_folder(checkpoint) if checkpoint else bundled()
    clips = held_out(data, folder) if data is not None else []
    torch.set_num_threads(max(THREADS))
    engine = Engine.load(checkpoint=folder)
    # First, so that the memory is the app's alone.
    app = answers(engine, rounds, dense(clips) if clips else None)
    written = transcribed(engine, clips) if clips else None
    if not clips:
        report("Transcripts are left out: they need clips, a folder with manifest.csv given by --data.")
    config = engine.config
    del engine
    models = Models.load(config)
    rates = {f"{threads} thread": decode(models, rounds, tokens, threads, report) for threads in THREADS}
    speeds = {threads: {name: median(values) for name, values in of.items()} for threads, of in rates.items()}
    found = {
        "machine": machine(),
        "rounds": rounds,
        "tokens": tokens,
        "tokens_per_s": speeds,
        "best": best(speeds),
        "ratios": best_ratios(speeds),
        "ratios_by_threads": {
            threads: {
                f"decode_vs_{key}": ratio(of[USAM_NF4], of[name]) if name in of else None
                for key, name in RUNTIMES.items()
            }
            for threads, of in rates.items()
        },
        "contention": contended(models, rounds, tokens, max(THREADS)),
        "app": app,
        "decode_s": {str(length): median(times) for length, times in growth(models, rounds).items()},
        "transcripts": written,
    }
    draw(found)
    return found


def best(speeds: Speeds) -> dict[str, dict[str, Any]]:
    """Every runtime's highest speed (tokens/s) over the numbers of threads, with that number."""
    found: dict[str, dict[str, Any]] = {}
    for threads, of in speeds.items():
        for name, speed in of.items():
            if name not in found or speed > found[name]["tokens_per_s"]:
                found[name] = {"tokens_per_s": speed, "threads": threads}
    return found


def best_ratios(speeds: Speeds) -> dict[str, float | None]:
    """This decoder's best speed over each other runtime's best; None for one that was not measured."""
    fastest = {name: value["tokens_per_s"] for name, value in best(speeds).items()}
    return {
        f"decode_vs_{key}": round(fastest[USAM_NF4] / fastest[name], 3) if name in fastest else None
        for key, name in RUNTIMES.items()
    }


def held_out(data: Path, checkpoint: Path) -> list[Spoken]:
    """Speech of a corpus folder that the checkpoint was not trained on. Raises UsamError if there is none."""
    from usam.benchmark.transcripts import held_out_speech

    clips = held_out_speech(data, checkpoint)
    if not clips:
        raise RequestError(f"{data} has no held-out speech with a transcript.")
    return clips


def dense(clips: Sequence[Spoken]) -> torch.Tensor:
    """The clips with the most words one after the other [samples]: what a decoder has most to write about."""
    wordy = sorted(clips, key=lambda clip: -len(clip[1].split()))
    return torch.cat([heard for heard, _ in wordy])


def transcribed(engine: Engine, clips: Sequence[Spoken]) -> dict[str, Any]:
    """How fast and how well the clips are transcribed."""
    from usam.benchmark.transcripts import transcripts  # what scores words is installed for evaluations only

    return transcripts(engine, clips)


def plotter(file: Path | None) -> Callable[[Mapping[str, Any]], None]:
    """What draws the figures to a file, or nothing without one. Raises RequestError if it could not."""
    if file is None:
        return lambda found: None
    if not file.absolute().parent.is_dir() or file.is_dir():
        raise RequestError(f"The plot cannot be written to {file}: give a file in a folder that is there.")
    from usam.benchmark.plot import plot

    def draw(found: Mapping[str, Any]) -> None:
        try:
            plot(found, file)
        except OSError as error:
            raise RequestError(f"The plot cannot be written to {file}: {error.strerror}.") from error

    return draw


def machine() -> dict[str, Any]:
    """The processor's name, its cores and PyTorch's version."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # Linux only
        lines = []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return {"processor": name, "cores": os.cpu_count(), "torch": torch.__version__}


def table(found: Mapping[str, Any]) -> str:
    """The figures in words; first each runtime's best, as many threads as suit it."""
    lines = [f"{found['machine']['processor']}, {found['machine']['cores']} cores"]
    for name, fastest in found["best"].items():
        lines.append(f"best      {name:18} {fastest['tokens_per_s']:7.1f} tokens/s, {fastest['threads']}")
    lines += [row("best", name, value) for name, value in found["ratios"].items()]
    for threads, speeds in found["tokens_per_s"].items():
        lines += [f"{threads:9} {name:18} {speed:7.1f} tokens/s" for name, speed in speeds.items()]
    for threads, ratios in found["ratios_by_threads"].items():
        lines += [row(threads, name, value) for name, value in ratios.items()]
    lines.append(f"beside a busy process  {found['contention']['ratio']:6.2f} of the speed alone")
    app = found["app"]
    lines += [
        f"first token, {length:5} clip {seconds:6.2f} s" for length, seconds in app["first_token_s"].items()
    ]
    lines.append(f"second question        {app['second_question_s']:6.2f} s")
    lines.append(f"an answer's speed      {app['answer_tokens_per_s']:6.1f} tokens/s")
    lines += [
        f"{tokens:>4} tokens decoded    {seconds:6.2f} s" for tokens, seconds in found["decode_s"].items()
    ]
    resident = "" if app["resident_mb"] is None else f", resident {app['resident_mb']} MB"
    lines.append(f"load {app['load_s']} s{resident}")
    written = found["transcripts"]
    if written:
        lines += [
            f"transcript, {name:17} {seconds:6.2f} s a clip, word error rate {written['wer'][name]:.3f}"
            f" ({written['clips']} clips, {written['audio_s']} s)"
            for name, seconds in written["median_s"].items()
        ]
    return "\n".join(lines)


def row(threads: str, name: str, value: float | None) -> str:
    return f"{threads:9} {name:28} " + ("not measured" if value is None else f"{value:5.2f}")
