"""Which encoders there are, and what each is for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from usam.config import USAMConfig
from usam.encoders.base import Encoder, Role
from usam.encoders.music_tags import MusicTags
from usam.encoders.musicnn import MusiCNN
from usam.encoders.sound_names import SoundNames
from usam.encoders.spoken_words import SpokenWords
from usam.encoders.whisper import Whisper
from usam.encoders.words import WordStream
from usam.encoders.yamnet import YAMNet
from usam.errors import WeightsError
from usam.weights.cache import WeightPaths
from usam.weights.catalogue import MUSICNN, WHISPER_BASE, YAMNET, Model


@dataclass(frozen=True)
class EncoderSpec:
    """A frozen encoder: its name in configs, what it listens for, the width and rate (Hz) of its frames, the
    pretrained model it is made of, and what loads it from that model's folder (raises WeightsError).

    words: makes the word stream of its own head, if it has one, from that folder and the loaded encoder.
    """

    name: str
    role: Role
    dim: int
    frame_rate: float
    source: Model
    load: Callable[[Path], Encoder]
    words: Callable[[Path, Encoder], WordStream] | None = None


def _spoken(folder: Path, encoder: Encoder) -> WordStream:
    return SpokenWords.load(folder)


def _sounds(folder: Path, encoder: Encoder) -> WordStream:
    return SoundNames()


def _tags(folder: Path, encoder: Encoder) -> WordStream:
    assert isinstance(encoder, MusiCNN)
    return MusicTags(encoder)


ENCODERS = {
    spec.name: spec
    for spec in (
        EncoderSpec(Whisper.name, Whisper.role, 512, Whisper.frame_rate, WHISPER_BASE, Whisper.load, _spoken),
        EncoderSpec(YAMNet.name, YAMNet.role, YAMNet.dim, YAMNet.frame_rate, YAMNET, YAMNet.load, _sounds),
        EncoderSpec(
            MusiCNN.name, MusiCNN.role, MusiCNN.dim, MusiCNN.frame_rate, MUSICNN, MusiCNN.load, _tags
        ),
    )
}


def load_encoders(paths: WeightPaths, names: Sequence[str] = USAMConfig.encoder_names) -> tuple[Encoder, ...]:
    """The encoders of these names, in the order their frames are concatenated. Raises WeightsError."""
    unknown = [name for name in names if name not in ENCODERS]
    if unknown:
        raise WeightsError(f"There is no encoder {unknown[0]!r}; there is {', '.join(ENCODERS)}.")
    specs = [ENCODERS[name] for name in names]
    return tuple(spec.load(paths.encoders[spec.role]) for spec in specs)


def load_word_streams(paths: WeightPaths, encoders: Sequence[Encoder]) -> tuple[WordStream | None, ...]:
    """The word stream of each encoder's head, None for one without. Raises WeightsError."""
    specs = [ENCODERS[encoder.name] for encoder in encoders]
    return tuple(
        spec.words(paths.encoders[spec.role], encoder) if spec.words else None
        for spec, encoder in zip(specs, encoders, strict=True)
    )


def by_role(encoders: Iterable[Encoder], role: Role) -> Encoder:
    """The first of the encoders that listens for `role`. Raises LookupError if none does."""
    for encoder in encoders:
        if encoder.role == role:
            return encoder
    raise LookupError(f"no {role} encoder")
