"""Labelled audio on disk as `Example`s, and the public rule that keeps some of it out of training.

A corpus folder holds clips at `kind/source/file` and one `manifest.csv` (columns path, seconds, kind,
label_or_transcript, language, speaker_or_group, licence). A folder of synthetic speech holds the
`manifest.jsonl` written by `usam.data.synthetic.speech`.
"""

import csv
import hashlib
import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from torch import Tensor

from usam.audio.clip import load_clip
from usam.errors import UsamError

Kind = Literal["speech", "sound", "music"]

# Held out whole, because a clip from a source never trained on is the closest thing to a stranger's clip.
HELD_SOURCES = frozenset({"petz", "ibm_max", "soundfx", "sonicpi"})

# speechocean762: three boys, girls, men and women of various ages; fsdd: one of the two native speakers.
HELD_GROUPS = frozenset(
    {f"speechocean762:{speaker}" for speaker in ("0094", "5015", "6048", "0093", "3208", "6067")}
    | {f"speechocean762:{speaker}" for speaker in ("0461", "1293", "2236", "0306", "2450", "9613")}
    | {"fsdd:theo"}
)

# Share of the groups of every other source, drawn by the hash of the group's name: a stranger to the data
# draws the same clips, and a new clip moves none of the others.
HELD_SHARES = {
    "librispeech_gender": 0.12,
    "picovoice_wakeword": 0.12,
    "picovoice_intent": 0.08,
    "berklee": 0.08,
    "cc_sounds": 0.08,
    "donateacry": 0.08,
    "avl_drumkits": 0.08,
    "fsdk_instruments": 0.08,
    "fillets": 0.12,
    "tuxpaint": 0.08,
}

# The one reader of dc_tts_reader is in both parts, so this holds out sentences, not a speaker: the last
# quarter in reading order, since neighbours in the running text share words.
HELD_TAILS = {"dc_tts_reader": 0.25}

_STOP_WORDS = frozenset(
    re.findall(r"\w+", "a an the of in on at to and or with by for from into its is no not off up down")
)
_ABBREVIATIONS = {"mr.": "mister", "mrs.": "missus", "dr.": "doctor", "hon.": "honourable"}


class CorpusError(UsamError):
    """A corpus folder or its manifest is missing or malformed."""


@dataclass(frozen=True)
class Example:
    """One labelled clip; `seconds` is its length, or that of `span` = (start, end) in s if there is one.

    `transcript` is what is said, or None if unknown: English as `spoken_words` has it, other languages as
    printed, with `translation` into English. `label` names a sound or an instrument, or is the source's own
    annotation of speech (`[gender] female`). Speech with a `background` has audio of that kind behind it, and
    `label` names that. Clips of one `group` (a speaker, a recording, the takes of one
    object) are never split over training and held-out.
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


def split(
    examples: Iterable[Example], also_heldout: Collection[str] = ()
) -> tuple[list[Example], list[Example]]:
    """Training and held-out examples, both in the given order; no group is in both.

    The rule is the constants of this module: whole sources and speakers first, since a model that has heard
    the same voice, microphone or take is measured on its memory. Synthetic speech is always for training:
    only recordings say how well people are understood.
    `also_heldout` names further clips (see `Example.name`); each takes its whole group along.
    """
    examples = list(examples)
    named = set(also_heldout)
    held = {example.group for example in examples if example.name in named or _is_held(example)}
    for source, share in HELD_TAILS.items():
        groups = list(dict.fromkeys(example.group for example in examples if example.source == source))
        held.update(groups[round(len(groups) * (1 - share)) :])
    train = [example for example in examples if example.group not in held]
    heldout = [example for example in examples if example.group in held]
    return train, heldout


def label_words(label: str) -> list[str]:
    """Content words of a sound or instrument label, lowercased, in order: `Hi-hat, open` -> hi, hat, open."""
    words = re.findall(r"[a-z0-9']+", label.lower())
    return [word for word in dict.fromkeys(words) if word not in _STOP_WORDS]


def stem(word: str) -> str:
    """A word without its ending, so that `dog` is `dogs` and `howl` is `howling`."""
    return re.sub(r"(ing|s|es|ed)$", "", word) if len(word) > 4 else word.rstrip("s")


def spoken_words(text: str) -> str | None:
    """Lowercase letters, apostrophes and single spaces; None if the text does not say how it is spoken.

    Digits and symbols have several readings (1490 is a year or an amount), so such a text is no transcript.
    """
    words = " ".join(_ABBREVIATIONS.get(word, word) for word in text.lower().replace("’", "'").split())
    if re.search(r"[0-9@#&%$£€/\\+=<>*_^~|\[\]{}]", words) or not words.isascii():
        return None
    words = re.sub(r"[^a-z']+", " ", words)
    words = re.sub(r"(?<![a-z])'(?!(?:tis|twas|em|til|cause)\b)|'(?![a-z])", "", words)  # quotation marks
    return " ".join(words.split()) or None


def _is_held(example: Example) -> bool:
    return (
        example.source in HELD_SOURCES
        or example.group in HELD_GROUPS
        or _fraction(example.group) < HELD_SHARES.get(example.source, 0.0)
    )


def _fraction(name: str) -> float:
    """Uniform in [0, 1), fixed by the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48


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
    )


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
    if text not in ("speech", "sound", "music"):
        raise ValueError(f"{text} is not a kind of clip")
    return cast(Kind, text)
