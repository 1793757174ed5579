"""Labelled clips as the whole model hears them: the Q-Former's tokens and the specialists' words, kept on
disk."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from usam.adapter.speaker import SPEAKERS, SpeakerHead, voice_features
from usam.audio.pitch import pitch_quartiles
from usam.audio.samples import SAMPLE_RATE
from usam.config import FRAME_RATE
from usam.data.corpus import Example
from usam.data.instructions import distinct, same_name
from usam.data.scenes.scene import Part, Scene
from usam.encoders.heads.sound_names import names_heard
from usam.errors import AudioError
from usam.model.listening import Hearing, words_of
from usam.model.model import USAM
from usam.schema.tasks import SpeechRequest
from usam.schema.words import Word

REPORTED = 200  # clips between two reports


@dataclass(frozen=True)
class HeardClip:
    """tokens [L, H] of the Q-Former, words of each expert without who speaks, and voice features [3 + D] of
    the
    stretches of speech, None where nobody speaks."""

    example: Example
    tokens: Tensor
    words: tuple[tuple[Word, ...], ...]
    voice: Tensor | None


class HeardClips:
    """A folder with a file for each clip, named by the clip's content and the checkpoint that heard it."""

    def __init__(self, folder: Path, model: USAM, checkpoint: str) -> None:
        self.folder = folder
        self.model = model
        self.checkpoint = checkpoint
        folder.mkdir(parents=True, exist_ok=True)

    def build(
        self, examples: Iterable[Example], report: Callable[[str], None] = print
    ) -> Iterator[HeardClip]:
        """Every clip that can be heard, after computing what is missing."""
        for index, example in enumerate(examples, 1):
            try:
                yield self.read(example)
            except (AudioError, OSError):
                continue
            if index % REPORTED == 0:
                report(f"{index} clips heard")

    def read(self, example: Example) -> HeardClip:
        """Raises AudioError or OSError if the clip cannot be read."""
        content = hashlib.sha256(example.path.read_bytes()).hexdigest()
        key = hashlib.sha256(f"{content} {example.span} {self.checkpoint}".encode()).hexdigest()[:24]
        file = self.folder / key[:2] / f"{key}.safetensors"
        if not file.exists():
            self._store(file, example.waveform())
        with safe_open(file, framework="pt") as stored:
            streams = json.loads(stored.metadata()["words"])
            words = tuple(tuple(Word(**word) for word in stream) for stream in streams)
            voice = stored.get_tensor("voice")
            return HeardClip(example, stored.get_tensor("tokens"), words, voice if len(voice) else None)

    @torch.inference_mode()
    def _store(self, file: Path, waveform: Tensor) -> None:
        hearing = self.model.hear(waveform)
        mask = torch.ones(1, len(hearing.frames), dtype=torch.bool, device=hearing.frames.device)
        tokens, _ = self.model.adapter.encode(hearing.frames[None], mask)
        words = words_of(hearing, self.model.word_streams, SpeechRequest(), None)
        voice = voice_of(hearing)
        tensors = {
            "tokens": tokens[0].half().contiguous(),
            "voice": torch.zeros(0) if voice is None else voice.contiguous(),
        }
        file.parent.mkdir(exist_ok=True)
        part = file.with_suffix(".part")
        metadata = {"words": json.dumps([[asdict(word) for word in stream] for stream in words])}
        save_file(tensors, part, metadata=metadata)
        part.rename(file)


def voice_of(hearing: Hearing) -> Tensor | None:
    """Voice features of the longest stretch of speech, None where nobody speaks."""
    if not hearing.heard.speech:
        return None
    start, end = max(hearing.heard.speech, key=lambda span: span[1] - span[0])
    frames = hearing.heard.frames["speech"][int(start * FRAME_RATE) : int(end * FRAME_RATE) + 1]
    speech = hearing.heard.waveform[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
    return voice_features(pitch_quartiles(speech), frames) if len(frames) else None


def scene(clip: HeardClip, head: SpeakerHead) -> Scene | None:
    """The clip as a scene with what its labels tell; None if they tell nothing.

    Speech is to be written down as the specialist heard it, that is what can be read; by the transcript where
    the specialist gives no words, and the expert's own projection has to be read.
    """
    example = clip.example
    speech, sounds, music = clip.words
    names = names_heard(sounds)
    place = next((word.text for word in sounds if word.is_place), None)
    tags = tuple(word.text for word in music)
    seconds = example.seconds
    if example.source == "silence":
        return Scene((), clip.words, seconds, clip.tokens)
    if example.kind != "speech":
        if not example.label:
            return None
        known = believed(example.label, names)
        part = Part(example.kind, known, tags=tags, place=place)
        return Scene((part,), clip.words, seconds, clip.tokens)
    text = "".join(word.read for word in speech if not word.is_language).strip()
    language = next((word.text for word in speech if word.is_language), None)
    text = text or written(example.transcript or "")
    if not text or language not in (None, "English"):
        return None
    speaker, sure = example.speaker, 1.0
    if speaker is None and clip.voice is not None:
        with torch.no_grad():
            odds = head(clip.voice).softmax(-1)
        speaker, sure = SPEAKERS[int(odds.argmax())], float(odds.max())
    behind = heard_behind(example.label, names) if example.background and example.label else ()
    part = Part("speech", (), text, speaker, language, behind=behind, behind_kind=example.background)
    return Scene((part,), (tuple(with_speaker(speech, speaker, sure)), sounds, music), seconds, clip.tokens)


def believed(label: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names to answer with: the label in front where a specialist names it too, else after what that is
    surest of. A label that nobody could have heard is no more likely than what was."""
    label = label.lower()
    confirmed = not names or same_name(label, names)
    return tuple(distinct([label, *names] if confirmed else [names[0], label, *names[1:]])[:3])


def heard_behind(label: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names to give what is behind speech, the surest first: none where no specialist hears the label."""
    return tuple(distinct(names))[:2] if same_name(label.lower(), names) else ()


def unread(scene: Scene, transcript: str) -> Scene:
    """A scene of speech without the specialist's words, to be written down by its transcript."""
    speech, *others = scene.words
    marks = tuple(word for word in speech if word.before == " [" or word.is_language)
    part = replace(scene.parts[0], text=written(transcript))
    return replace(scene, parts=(part,), words=(marks, *others))


def written(transcript: str) -> str:
    """A transcript of a corpus, which is in small letters, as a sentence."""
    text = re.sub(r"\bi\b", "I", transcript.strip().lower())
    return text[:1].upper() + text[1:] + "." * (text[-1:].isalnum())


def with_speaker(words: Iterable[Word], speaker: str | None, sure: float) -> Iterator[Word]:
    """The words of a transcript, its bracket saying who speaks."""
    for word in words:
        if speaker is not None and word.before == " [":
            yield Word(word.start, word.start, speaker, sure, " [", "")
            word = replace(word, before=", ")
        yield word
