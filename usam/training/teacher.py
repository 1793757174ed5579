"""What the frozen specialists say about a clip: labels where the data has none or too few."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

from usam.audio import load_clip
from usam.encoders import YAMNet
from usam.encoders.whisper import Transcriber
from usam.training.corpora import Example, label_words, spoken_words

TOP_CLASSES = 4


def heard_words(yamnet: YAMNet, frames: Tensor) -> dict[str, float]:
    """Words of the AudioSet classes YAMNet hears most in frames [T, 1024], weighted by their score."""
    words: dict[str, float] = {}
    for name, score in yamnet.top(frames.float(), TOP_CLASSES):
        named = label_words(name.split(",")[0])
        for word in named:
            words[word] = words.get(word, 0.0) + score / len(named)
    return words


def transcribe_all(
    examples: Iterable[Example],
    transcriber: Transcriber,
    file: Path,
    report: Callable[[str], None] = print,
) -> dict[str, str]:
    """Whisper's transcripts of clips that have none, by clip name; kept in a JSON file and continued."""
    found: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    wanted = [example for example in examples if example.name not in found]
    for index, example in enumerate(wanted, 1):
        with torch.inference_mode():
            text = transcriber.transcribe(load_clip(example.path).waveform)
        found[example.name] = spoken_words(text) or ""
        if index % 20 == 0 or index == len(wanted):
            file.write_text(json.dumps(found, indent=0))
            report(f"transcribed {index} of {len(wanted)}")
    return found
