"""`usam transcribe`: what is said in a whole recording and when, as text, subtitles or segments."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from usam.cli import options as shared
from usam.schema.recording_files import FORMATS, TRANSCRIPTS, recording_file, recording_json

if TYPE_CHECKING:
    from usam.schema.segments import RecordingPart


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    transcribe = commands.add_parser(
        "transcribe", help="write down a whole recording, with times, and what else is heard in it"
    )
    transcribe.add_argument("recording", type=Path)
    transcribe.add_argument("--format", choices=FORMATS, default="txt")
    transcribe.add_argument("--out", type=Path, help="a file instead of the terminal")
    transcribe.add_argument("--translate", action="store_true", help="into English")
    transcribe.set_defaults(run=run_transcribe)
    shared.add_engine_options(transcribe)


def run_transcribe(options: argparse.Namespace) -> None:
    from usam.audio.clip import load_clip

    load_clip(options.recording)  # what cannot be heard is refused before the model is loaded
    engine = shared.load_engine(options)
    parts = reported(engine.transcribe(options.recording, "translate" if options.translate else "transcribe"))
    form = "json" if options.json else options.format
    if options.out is None:
        write(parts, form, options.recording.name, sys.stdout)
        return
    with options.out.open("w", encoding="utf-8", newline="") as file:
        write(parts, form, options.recording.name, file)
    print(options.out)


def reported(parts: Iterable[RecordingPart]) -> Iterator[RecordingPart]:
    """The same, with progress and the time left where a person watches."""
    began = time.monotonic()
    for part in parts:
        share = part.end / part.duration
        left = (time.monotonic() - began) * (1 / share - 1)
        shared.progress(f"Heard {part.end:.0f} of {part.duration:.0f} s, {left:.0f} s left,", min(1.0, share))
        yield part


def write(parts: Iterable[RecordingPart], form: str, name: str, file: TextIO) -> None:
    """Write a recording in one of FORMATS; text and subtitles as they come."""
    from usam.schema import subtitles
    from usam.schema.segments import joined

    if form in TRANSCRIPTS:
        numbered = 0
        file.write(subtitles.vtt([]) if form == "vtt" else "")
        for part in parts:
            cues = subtitles.cues(part.segments)
            if form == "txt":
                file.write(subtitles.txt(cues))
            elif form == "srt":
                file.write(subtitles.srt(cues, numbered + 1))
            else:
                file.write(subtitles.vtt(cues, header=False))
            numbered += len(cues)
            file.flush()
        return
    heard = list(parts)
    segments = joined(segment for part in heard for segment in part.segments)
    seconds = heard[-1].duration if heard else 0.0
    if form == "json":
        file.write(shared.dump(recording_json(segments, seconds)) + "\n")
    else:
        file.write(recording_file(form, segments, seconds, name))
