"""Which encoders there are, and what each is for.

Other packages add theirs by an entry point of the group `usam.encoders`, which names an `EncoderSpec`, or by
`register_encoder`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import nn

from usam.audio.samples import SAMPLE_RATE
from usam.config import USAMConfig
from usam.encoders.base import Encoder, Role
from usam.encoders.ced import CED
from usam.encoders.heads.music_tags import MusicTags
from usam.encoders.heads.sound_names import SoundNames
from usam.encoders.heads.spoken_words import SpokenWords
from usam.encoders.mert import MERT
from usam.encoders.musicnn import MusiCNN
from usam.encoders.whisper import Whisper
from usam.encoders.words import WordStream
from usam.encoders.yamnet import YAMNet
from usam.errors import WeightsError
from usam.registry import Registry
from usam.weights.catalogue import (
    CED_BASE,
    MERT_95M,
    MUSICNN,
    WHISPER_BASE,
    WHISPER_SMALL,
    YAMNET,
    HubRepository,
    Model,
)

WordStreamFactory = Callable[[Path, Encoder, USAMConfig], WordStream]


@dataclass(frozen=True)
class EncoderSpec:
    """A frozen encoder: its name in configs, what it listens for, the width and rate (Hz) of its frames, the
    rate (Hz) of the waveforms it takes, the pretrained model it is made of, and what loads it from that
    model's folder (raises WeightsError).

    source: a model or a repository of the catalogue, a folder, or None for an encoder that needs no weights;
    `load` is then given an empty path.
    words: makes the word stream of its own head, if it has one, from that folder, the loaded encoder and the
    configuration it is used in.
    """

    name: str
    role: Role
    dim: int
    frame_rate: float
    sample_rate: int
    source: Model | HubRepository | Path | None
    load: Callable[[Path], Encoder]
    words: WordStreamFactory | None = None


def _spoken(folder: Path, encoder: Encoder, config: USAMConfig) -> WordStream:
    return SpokenWords.load(folder)


def _sounds(folder: Path, encoder: Encoder, config: USAMConfig) -> WordStream:
    return SoundNames(config.background_kinds)


def _tags(folder: Path, encoder: Encoder, config: USAMConfig) -> WordStream:
    assert isinstance(encoder, MusiCNN)
    return MusicTags(encoder)


def _whisper_small(folder: Path) -> Whisper:
    return Whisper.load(folder, "whisper-small")


def _spec(
    encoder: type[Whisper] | type[YAMNet] | type[MusiCNN],
    dim: int,
    source: Model,
    words: WordStreamFactory,
) -> EncoderSpec:
    rates = encoder.frame_rate, encoder.sample_rate
    return EncoderSpec(encoder.name, encoder.role, dim, *rates, source, encoder.load, words)


ENCODERS = Registry(
    "encoder",
    "usam.encoders",
    EncoderSpec,
    (
        (spec.name, spec)
        for spec in (
            _spec(Whisper, 512, WHISPER_BASE, _spoken),
            _spec(YAMNet, YAMNet.dim, YAMNET, _sounds),
            _spec(MusiCNN, MusiCNN.dim, MUSICNN, _tags),
            EncoderSpec(
                "whisper-small",
                "speech",
                768,
                Whisper.frame_rate,
                SAMPLE_RATE,
                WHISPER_SMALL,
                _whisper_small,
                _spoken,
            ),
            EncoderSpec(CED.name, CED.role, 768, 6.25, CED.sample_rate, CED_BASE, CED.load, _sounds),
            EncoderSpec(MERT.name, MERT.role, 768, MERT.frame_rate, MERT.sample_rate, MERT_95M, MERT.load),
        )
    ),
)


def register_encoder(spec: EncoderSpec) -> None:
    """Add an encoder under its name. Raises RequestError if that is taken."""
    ENCODERS.register(spec.name, spec)


def load_encoders(folders: Mapping[str, Path], config: USAMConfig | None = None) -> tuple[Encoder, ...]:
    """The encoders of a configuration, in the order their frames are concatenated, each from its folder.

    Raises WeightsError, also if one is not what the configuration was made for; RequestError for a name that
    is not known.
    """
    config = config or USAMConfig.from_preset("mini")
    parts = zip(config.encoder_names, config.encoder_roles, config.encoder_dims, strict=True)
    return tuple(_load(ENCODERS[name], folders[name], role, dim) for name, role, dim in parts)


def _load(spec: EncoderSpec, folder: Path, role: Role, dim: int) -> Encoder:
    """An encoder, checked against its entry in the registry and against the configuration."""
    encoder = spec.load(folder)
    if not isinstance(encoder, nn.Module):
        raise WeightsError(f"The encoder {spec.name!r} is no torch.nn.Module.")
    for field in ("name", "role", "dim", "frame_rate", "sample_rate"):
        has, said = getattr(encoder, field, None), getattr(spec, field)
        if has != said:
            raise WeightsError(f"The encoder {spec.name!r} has {field} {has!r}; its entry says {said!r}.")
    if (spec.role, spec.dim) != (role, dim):
        raise WeightsError(
            f"The encoder {spec.name!r} listens for {spec.role} with frames {spec.dim} wide; "
            f"the configuration was made for {role} and {dim}."
        )
    return cast(Encoder, encoder)


def load_word_streams(
    folders: Mapping[str, Path], encoders: Sequence[Encoder], config: USAMConfig
) -> tuple[WordStream | None, ...]:
    """The word stream of each encoder's head as a configuration wants it, None for one without.

    Raises WeightsError.
    """
    streams: list[WordStream | None] = []
    for encoder in encoders:
        make = ENCODERS[encoder.name].words
        streams.append(make(folders[encoder.name], encoder, config) if make else None)
    return tuple(streams)


def by_role(encoders: Iterable[Encoder], role: Role) -> Encoder:
    """The first of the encoders that listens for `role`. Raises LookupError if none does."""
    for encoder in encoders:
        if encoder.role == role:
            return encoder
    raise LookupError(f"no {role} encoder")
