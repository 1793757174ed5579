"""What the evaluation asks about: held-out clips, mixtures of them, and clips in which nothing is heard."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from torch import Tensor

from usam.audio.clip import Clip, load_clip
from usam.audio.samples import SAMPLE_RATE
from usam.data.augmentation import loop, mix
from usam.data.corpus import KINDS, Example, read_corpus
from usam.data.debian_packages import FILLETS_LANGUAGES, read_fillets
from usam.data.derived.silence import nothing
from usam.data.splits import split

SILENT_CLIPS = 20
FIRST_SILENT_SEED = 10_000  # far from those of training
MIXTURES = 40  # of either sort
QUIETER_DB = (0.0, 10.0)  # how far music, or a sound, lies below the speech


@dataclass(frozen=True, eq=False)
class TestClip:
    """One clip nobody trained on, and what is true of it.

    waveform [samples] at 16 kHz; `kinds` are those heard: two in a mixture, none in silence. `source` is the
    collection it comes from; `transcript` and `label` are those of the corpus, `translation` is the English
    of speech in another `language`. Clips compare by identity.
    """

    __test__ = False  # not a test, whatever pytest thinks of the name

    name: str
    kinds: frozenset[str]
    waveform: Tensor
    source: str = ""
    transcript: str | None = None
    label: str | None = None
    language: str = "en"
    translation: str | None = None

    @property
    def seconds(self) -> float:
        return len(self.waveform) / SAMPLE_RATE

    @property
    def audio(self) -> Clip:
        """What the engine is asked about. Raises AudioError if it is too short to be heard."""
        return load_clip((SAMPLE_RATE, self.waveform.numpy()))


@dataclass(frozen=True)
class TestSet:
    """The clips of one evaluation. `single` hold one kind of audio each, `foreign` speech to translate."""

    __test__ = False

    single: Sequence[TestClip]
    mixed: Sequence[TestClip]
    silent: Sequence[TestClip]
    foreign: Sequence[TestClip] = ()

    def of(self, kind: str) -> list[TestClip]:
        return [clip for clip in self.single if clip.kinds == {kind}]

    @property
    def all(self) -> list[TestClip]:
        return [*self.single, *self.mixed, *self.silent, *self.foreign]


def read_clips(
    folder: Path, limit: int | None = None, heldout: Collection[str] = (), packages: Path | None = None
) -> TestSet:
    """Held-out clips of a corpus folder, at most `limit` of each kind and sort, drawn by a fixed seed.

    With `packages`, the folder `read_fillets` takes, lines to translate are among them, `limit` a language.

    Raises CorpusError, or AudioError for a clip that cannot be read.
    """
    _, examples = split(read_corpus(folder), heldout)
    chosen = [e for kind in KINDS for e in sample([e for e in examples if e.kind == kind], limit)]
    single = [test_clip_of(example) for example in chosen]
    mixtures = MIXTURES if limit is None else min(limit, MIXTURES)
    silences = SILENT_CLIPS if limit is None else min(limit, SILENT_CLIPS)
    foreign = [] if packages is None else list(translated(packages, limit))
    return TestSet(single, list(mixed(single, mixtures)), list(silent(silences)), foreign)


def translated(packages: Path, limit: int | None) -> Iterator[TestClip]:
    """Lines of held-out levels, `limit` of each language."""
    _, lines = split(read_fillets(packages))
    for language in FILLETS_LANGUAGES:
        yield from map(test_clip_of, sample([line for line in lines if line.language == language], limit))


def sample(examples: Sequence[Example], limit: int | None) -> list[Example]:
    if limit is None or limit >= len(examples):
        return list(examples)
    return Random(0).sample(list(examples), limit)


def test_clip_of(example: Example) -> TestClip:
    return TestClip(
        name=example.name,
        kinds=frozenset({example.kind}),
        waveform=example.waveform(),
        source=example.source,
        transcript=example.transcript,
        label=example.label,
        language=example.language,
        translation=example.translation,
    )


def mixed(clips: Sequence[TestClip], count: int) -> Iterator[TestClip]:
    """`count` clips of speech over music and as many of a sound behind speech, as long as the speech.

    The other clip is repeated or cut to that length. Fewer if there are not that many clips of a kind.
    """
    random, rng = Random(0), np.random.default_rng(0)
    by_kind = {kind: [clip for clip in clips if clip.kinds == {kind}] for kind in KINDS}
    for kind in ("music", "sound"):
        number = min(count, len(by_kind["speech"]), len(by_kind[kind]))
        voices, others = (random.sample(by_kind[name], number) for name in ("speech", kind))
        for voice, other in zip(voices, others, strict=True):
            behind = loop(other.waveform, len(voice.waveform), rng)
            waveform = mix(voice.waveform, behind, rng.uniform(*QUIETER_DB))
            yield TestClip(
                name=f"{voice.name} + {other.name}",
                kinds=frozenset({"speech", kind}),
                waveform=waveform / waveform.abs().max().clamp_min(1.0),
                transcript=voice.transcript,
                label=other.label,
            )


def silent(count: int) -> Iterator[TestClip]:
    """Digital silence, faint noise or hum, by seeds that training does not use."""
    for seed in range(FIRST_SILENT_SEED, FIRST_SILENT_SEED + count):
        yield TestClip(f"nothing, seed {seed}", frozenset(), nothing(seed))
