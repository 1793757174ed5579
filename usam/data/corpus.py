"""Labelled audio on disk as `Example`s.

A corpus folder holds clips at `kind/source/file` and one `manifest.csv` (columns path, seconds, kind,
label_or_transcript, language, speaker_or_group, licence). A folder of synthetic speech holds the
`manifest.jsonl` written by `usam.data.synthetic.speech`.
"""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from usam.audio.clip import load_clip
from usam.data.labels import spoken_words
from usam.errors import UsamError
from usam.schema.segments import KINDS, Kind

IMAGINED = "imagined"  # source of examples that have frames and no audio

OLDEST_CHILD, YOUNGEST_ADULT = 11, 15  # years: between them a voice may sound like either


class CorpusError(UsamError):
    """A corpus folder or its manifest is missing or malformed."""


@dataclass(frozen=True)
class Example:
    """One labelled clip; `seconds` is its length, or that of `span` = (start, end) in s if there is one.

    `transcript` is what is said, or None if unknown: English as `spoken_words` has it, other languages as
    printed, with `translation` into English. `label` names a sound or an instrument, or is the source's own
    annotation of speech (`[gender] female`). Speech with a `background` has audio of that kind behind it, and
    `label` names that. `speaker` is man, woman or child where the source tells. Clips of one `group` (a
    speaker, a recording, the takes of one object) are never split over training and held-out.
    """

    path: Path
    seconds: float
    kind: Kind
    transcript: str | None
    label: str | None
    group: str
    source: str
    licence: str
    language: str
    span: tuple[float, float] | None = None
    translation: str | None = None
    background: Kind | None = None
    speaker: str | None = None

    def waveform(self) -> Tensor:
        """What is heard of the clip, float32 [samples] at 16 kHz. Raises AudioError if it cannot be read."""
        start, end = self.span or (None, None)
        return load_clip(self.path, start, end).waveform

    @property
    def name(self) -> str:
        """Path inside the corpus folder, as its manifest gives it: `kind/source/file`."""
        return "/".join(self.path.parts[-3:])


def read_corpus(folder: Path) -> list[Example]:
    """Clips of `folder/manifest.csv`, in manifest order.

    Raises CorpusError if the manifest is missing or lacks a column.
    """
    manifest = folder / "manifest.csv"
    try:
        with manifest.open(newline="", encoding="utf-8") as file:
            return [_corpus_example(folder, row) for row in csv.DictReader(file)]
    except OSError as error:
        raise CorpusError(f"No corpus was found: {manifest} cannot be read.") from error
    except (KeyError, ValueError) as error:
        raise CorpusError(f"{manifest} is not a corpus manifest: {error}.") from error


def read_synthesis(folder: Path) -> list[Example]:
    """Utterances written so far by `usam.data.synthetic.speech`; safe while it is still writing.

    Raises CorpusError if there is no manifest or a line of it (other than an unfinished last one) is broken.
    """
    manifest = folder / "manifest.jsonl"
    try:
        lines = manifest.read_text(encoding="utf-8").split("\n")[:-1]  # after the last newline: unfinished
        return [_synthetic_example(folder, json.loads(line)) for line in lines]
    except OSError as error:
        raise CorpusError(f"No synthetic speech was found: {manifest} cannot be read.") from error
    except (KeyError, ValueError) as error:
        raise CorpusError(f"{manifest} is not a manifest of synthetic speech: {error}.") from error


def _corpus_example(folder: Path, row: dict[str, str]) -> Example:
    source = row["path"].split("/")[1]
    text = row["label_or_transcript"]
    verbatim = row["kind"] == "speech" and not text.startswith("[")
    return Example(
        path=folder / row["path"],
        seconds=float(row["seconds"]),
        kind=_kind(row["kind"]),
        transcript=spoken_words(text) if verbatim else None,
        label=None if verbatim else text,
        group=_group(source, row),
        source=source,
        licence=row["licence"],
        language=row["language"],
        speaker=_speaker(row) if row["kind"] == "speech" else None,
    )


def _speaker(row: dict[str, str]) -> str | None:
    """Who speaks, of speech whose source tells gender and age; years between childhood and youth are left
    out."""
    about = f"{row['label_or_transcript']};{row['speaker_or_group']}".lower()
    gender = re.search(r"(?:\[gender\] |gender=)(f|m)", about)
    age = re.search(r"age=(\d+)", about)
    if gender is None or (age and OLDEST_CHILD < int(age[1]) <= YOUNGEST_ADULT):
        return None
    if age and int(age[1]) <= OLDEST_CHILD:
        return "child"
    return "woman" if gender[1] == "f" else "man"


def _group(source: str, row: dict[str, str]) -> str:
    """What a near-duplicate of this clip would share with it."""
    who = row["speaker_or_group"].split(";")[0]
    match source:
        case "speechocean762" | "fsdd" | "librispeech_gender" | "donateacry":
            return who  # already prefixed by its source
        case "avl_drumkits":
            return f"{source}:{re.sub('-[0-9]+$', '', who)}"
        case "blanket" | "ambientsounds" | "oramics":
            return f"{source}:{who}"
        case "cc_sounds":
            return who or f"{source}:{row['label_or_transcript']}"  # address of the original recording
        case "picovoice_wakeword" | "picovoice_intent" | "dc_tts_reader" | "fsdk_instruments":
            return row["path"]  # every clip a recording of its own; its speaker is unknown or the only one
        case "salamander":
            return source  # one piano
        case _:
            return f"{source}:{row['label_or_transcript']}"  # takes of one object


def _synthetic_example(folder: Path, line: dict[str, str]) -> Example:
    return Example(
        path=folder / line["path"],
        seconds=float(line["seconds"]),
        kind="speech",
        transcript=line["transcript"],
        label=None,
        group=f"synthesis:{line['voice']}",
        source="synthesis",
        licence=line.get("licence", ""),
        language="en",
    )


def _kind(text: str) -> Kind:
    if text not in KINDS:
        raise ValueError(f"{text} is not a kind of clip")
    return text
