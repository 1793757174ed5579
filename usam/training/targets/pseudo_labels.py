"""What the frozen specialists say about a clip: transcripts, and names of sounds, where labels are few."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from usam.audio.clip import load_clip
from usam.data.corpus import Example
from usam.data.labels import spoken_words
from usam.encoders import YAMNet
from usam.encoders.heads.name_words import label_words
from usam.encoders.whisper_decoder import Transcriber
from usam.training.targets.word_targets import Targets

TOP_CLASSES = 4
LEAST_SCORE = 0.08  # of a class that is worth naming
SILENCE = "Silence"
# Classes that fit nearly every clip, or say where rather than what.
_VAGUE = frozenset(
    {
        SILENCE, "Music", "Musical instrument", "Animal", "Domestic animals, pets", "Wild animals",
        "Mechanisms", "Sound effect", "Noise", "Environmental noise", "Field recording", "Reverberation",
        "Echo", "Tools",
        "Effects unit", "Inside, small room", "Inside, large room or hall", "Inside, public space",
        "Outside, urban or manmade", "Outside, rural or natural", "Cacophony", "Sidetone", "Pulse",
        "Throbbing", "Vibration", "Harmonic", "Hands", "Livestock, farm animals, working animals",
    }
)  # fmt: skip


def short_name(name: str) -> str:
    """`Vehicle horn, car horn, honking` -> vehicle horn; `Whimper (dog)` -> whimper."""
    return name.split(",")[0].split("(")[0].strip().lower()


class SoundTeacher:
    """YAMNet's own head over its frames: its classifier is a map from frames to 521 names."""

    def __init__(self, yamnet: YAMNet, targets: Targets) -> None:
        self.yamnet = yamnet
        self.silence = yamnet.classes.index(SILENCE)
        self.vague = torch.tensor([name in _VAGUE for name in yamnet.classes])
        named = [{word: 1.0 for word in label_words(short_name(name))} for name in yamnet.classes]
        self.words = torch.stack([targets.words(words, blank=0.0) for words in named])

    def scores(self, frames: Tensor) -> Tensor:
        """[T, 1024] -> [T, 521], the vague classes left out."""
        return self.yamnet.scores(frames.float()).cpu().masked_fill(self.vague, 0.0)

    def local(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Frames [T, 1024] -> distributions over words [T, V + 1], and which frames are silent [T]."""
        silent = self.yamnet.scores(frames.float()).cpu()[:, self.silence] > 0.5
        best, classes = self.scores(frames).topk(TOP_CLASSES, dim=-1)
        weights = best / best.sum(-1, keepdim=True).clamp_min(1e-6)
        return (weights.unsqueeze(-1) * self.words[classes]).sum(1), silent

    def names(self, frames: Tensor) -> list[str]:
        """What the head calls a clip of frames [T, 1024]: a few short names, the surest first."""
        best, classes = self.scores(frames).mean(0).topk(TOP_CLASSES)
        return [
            short_name(self.yamnet.classes[index])
            for score, index in zip(best.tolist(), classes.tolist(), strict=True)
            if score >= LEAST_SCORE
        ]


def transcribe_all(
    examples: Iterable[Example],
    transcriber: Transcriber,
    file: Path,
    report: Callable[[str], None] = print,
) -> dict[str, str]:
    """Whisper's transcripts of clips that have none, by clip name; kept in a JSON file and continued."""
    found: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    wanted: Sequence[Example] = [example for example in examples if example.name not in found]
    for index, example in enumerate(wanted, 1):
        with torch.inference_mode():
            text = transcriber.transcribe(load_clip(example.path).waveform)
        found[example.name] = spoken_words(text) or ""
        if index % 20 == 0 or index == len(wanted):
            file.write_text(json.dumps(found, indent=0))
            report(f"transcribed {index} of {len(wanted)}")
    return found
