"""What several commands share: their options, the engine they ask for, and how they print."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from usam.cli.terminal import writes_unicode
from usam.errors import RequestError
from usam.presets import PRESETS
from usam.schema.tasks import TASKS

if TYPE_CHECKING:
    from usam.training.execution import Execution

UNHEARD = 0.1  # seconds at the end of a clip that are worth a word


def add_question_options(command: argparse.ArgumentParser, *, clip_needed: bool = True) -> None:
    """Of commands that ask something about a clip."""
    command.add_argument("clip", nargs=None if clip_needed else "?")
    command.add_argument("question", nargs="?", help="without one, the task's own prompt is asked")
    command.add_argument("--task", choices=sorted(TASKS), default="qa")
    command.add_argument("--start", type=float, help="seconds; the span that is heard")
    command.add_argument("--end", type=float, help="seconds")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--temperature", type=float, default=0.0, help="0 is greedy")
    command.add_argument("--max-new-tokens", type=int, default=128)


def add_engine_options(command: argparse.ArgumentParser) -> None:
    """Of commands that load the engine."""
    command.add_argument("--quantization", choices=("nf4", "int8", "none"), default="nf4")
    command.add_argument("--checkpoint", type=Path, help="an adapter folder instead of the shipped one")
    add_preset_option(command)
    command.add_argument("--llm", help="a folder or owner/name on the hub: another language model answers")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def add_preset_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--preset", choices=PRESETS.names(), default="mini")


def add_execution_options(command: argparse.ArgumentParser) -> None:
    """Of commands that train; accelerate's own launcher chooses devices and the number of processes."""
    command.add_argument(
        "--accumulate", type=int, default=1, metavar="N", help="batches whose gradients make one step"
    )
    command.add_argument("--float32", action="store_true", help="arithmetic in float32, not in bfloat16")
    command.add_argument(
        "--gradient-checkpointing", action="store_true", help="less memory for the language model, more time"
    )
    command.add_argument("--qlora", action="store_true", help="the language model in 4 bits under its LoRA")


def execution(options: argparse.Namespace) -> "Execution":
    """What `add_execution_options` added. Raises RequestError."""
    from usam.training.execution import Execution

    if options.accumulate < 1:
        raise RequestError("--accumulate takes 1 or more.")
    return Execution(
        bf16=not options.float32,
        accumulation=options.accumulate,
        gradient_checkpointing=options.gradient_checkpointing,
        qlora=options.qlora,
    )


def load_engine(options: argparse.Namespace) -> Any:
    """The engine the options ask for, with progress on stderr where a person watches."""
    from usam.engine.engine import Engine

    return Engine.load(
        options.preset,
        options.quantization,
        checkpoint=options.checkpoint,
        progress=progress,
        llm=options.llm or os.environ.get("USAM_LLM") or None,
    )


def engine_options(options: argparse.Namespace) -> dict[str, Any]:
    """What `load_engine` reads, to be sent to another process."""
    chosen = {name: getattr(options, name) for name in ("preset", "quantization", "checkpoint")}
    return {**chosen, "llm": options.llm or os.environ.get("USAM_LLM") or None}


def progress(message: str, share: float) -> None:
    if sys.stderr.isatty():
        end = "\n" if share >= 1 else ""
        print(f"\r\033[K{message} {share:.0%}", end=end, file=sys.stderr, flush=True)


def load_question(options: argparse.Namespace) -> tuple[Any, float]:
    """The clip to ask about and the seconds it took to read it.

    A bad clip or question is refused here, before the model is loaded; of a clip that is too long to be
    heard whole, stderr names the part that is.
    """
    from usam.audio.clip import load_clip
    from usam.schema.tasks import check_question

    check_question(options.question, options.task)
    began = time.monotonic()
    clip = load_clip(options.clip, options.start, options.end)
    decode_s = time.monotonic() - began
    if clip.tracks > 1 and not options.json:
        print(f"The file has {clip.tracks} sound tracks; one of them is heard.", file=sys.stderr)
    asked_to = clip.duration if options.end is None else min(options.end, clip.duration)
    if clip.end + UNHEARD < asked_to and not options.json:
        length = f"{clip.duration:.4g} s"
        print(
            f"Only {clip.start:g} to {clip.end:g} s of {length} are heard; --start chooses others.",
            file=sys.stderr,
        )
    return clip, decode_s


def question_options(options: argparse.Namespace) -> dict[str, Any]:
    """What to ask, as the options of `Engine.ask`."""
    names = ("question", "task", "seed", "temperature", "max_new_tokens")
    return {name: getattr(options, name) for name in names}


def dump(record: Any, indent: int | None = None) -> str:
    # Escaped where the output cannot write every character, so that it stays JSON and loses none.
    return json.dumps(record, ensure_ascii=not writes_unicode(sys.stdout), indent=indent)


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turns a package that is not installed into a RequestError which says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "usam").split(".")[0]
        if package == "usam":
            raise
        raise RequestError(
            f"This needs the package {package}; `pip install 'usam-studio[{extra}]'` installs it."
        ) from error
