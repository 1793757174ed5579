"""What the evaluation asks about: held-out clips, mixtures of them, and clips in which nothing is heard."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor

from usam.audio.clip import MIN_SECONDS, Clip, load_clip
from usam.audio.samples import SAMPLE_RATE
from usam.data.augmentation import loop, mix
from usam.data.corpus import Example, read_corpus
from usam.data.debian_packages import FILLETS_LANGUAGES, read_fillets
from usam.data.derived.silence import nothing
from usam.data.instructions import family
from usam.data.splits import split
from usam.encoders.heads.name_words import label_words
from usam.evaluation.judging import different
from usam.schema.segments import KINDS

SILENT_CLIPS = 20
FIRST_SILENT_SEED = 10_000  # far from those of training
MIXTURES = 40  # of either sort
QUIETER_DB = (0.0, 10.0)  # how far music, or a sound, lies below the speech
SPEAKERS = ("man", "woman", "child")
CLIPS_A_SPEAKER = 40  # of men, of women and of children
SENTENCES = 30  # of each collection
FEWEST_WORDS = 4  # of a sentence
SHORTEST_SPEECH = 1.0  # seconds in which a voice or a language can be told
COMPOSITES = 42
PART_SECONDS = (0.4, 8.0)
BETWEEN_PARTS = 0.3  # seconds of silence
PART_PEAK = 0.5  # so that no part drowns beside the others
# In these someone may be heard to speak or sing words, whatever kind of clip the corpus calls them.
VOICED = frozenset({"mumbling", "crowd", "choir"})
VOICES = VOICED | {"scream", "laugh", "laughing", "baby", "cheering", "snoring", "applause"}


@dataclass(frozen=True, eq=False)
class TestClip:
    """One clip nobody trained on, and what is true of it.

    waveform [samples] at 16 kHz; `kinds` are those heard: two in a mixture, none in silence. `source` is the
    collection it comes from; `transcript` and `label` are those of the corpus, `translation` is the English
    of speech in another `language`; `speaker` is man, woman or child. `parts` are the clips that follow one
    another in a composite. Clips compare by identity.
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
    speaker: str | None = None
    parts: tuple["TestClip", ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.waveform) / SAMPLE_RATE

    @property
    def audio(self) -> Clip:
        """What the engine is asked about. Raises AudioError if it is too short to be heard."""
        return load_clip((SAMPLE_RATE, self.waveform.numpy()))


@dataclass(frozen=True)
class TestSet:
    """The clips of one evaluation. `single` hold one kind of audio each, `foreign` speech to translate.

    `composites` are three clips in a row, `speakers` people whose voice is known to be a man's, a woman's or
    a child's, `sentences` English of several words with its transcript. These are drawn from all clips, not
    from `single`, so that a limit leaves enough of them.
    """

    __test__ = False

    single: Sequence[TestClip]
    mixed: Sequence[TestClip]
    silent: Sequence[TestClip]
    foreign: Sequence[TestClip] = ()
    composites: Sequence[TestClip] = ()
    speakers: Sequence[TestClip] = ()
    sentences: Sequence[TestClip] = ()

    def of(self, kind: str) -> list[TestClip]:
        return [clip for clip in self.single if clip.kinds == {kind}]

    @property
    def all(self) -> list[TestClip]:
        every = [*self.single, *self.mixed, *self.silent, *self.foreign]
        return [*dict.fromkeys([*every, *self.composites, *self.speakers, *self.sentences])]


def read_clips(
    folder: Path, limit: int | None = None, heldout: Collection[str] = (), packages: Path | None = None
) -> TestSet:
    """Held-out clips of a corpus folder, at most `limit` of each kind and sort, drawn by a fixed seed.

    With `packages`, the folder `read_fillets` takes, lines to translate are among them, `limit` a language.

    Raises CorpusError, or AudioError for a clip that cannot be read.
    """
    _, examples = split(read_corpus(folder), heldout)
    chosen = [e for kind in KINDS for e in sample([e for e in examples if e.kind == kind], limit)]
    read = cache(test_clip_of)  # one clip may serve several purposes; the engine then encodes it once
    single = [read(example) for example in chosen]

    def most(count: int) -> int:
        return count if limit is None else min(limit, count)

    return TestSet(
        single,
        list(mixed(single, most(MIXTURES))),
        list(silent(most(SILENT_CLIPS))),
        [] if packages is None else list(translated(packages, limit)),
        list(composites(examples, most(COMPOSITES), read)),
        [
            read(example)
            for speaker in SPEAKERS
            for example in sample([e for e in examples if tells(e, speaker)], most(CLIPS_A_SPEAKER))
        ],
        [
            read(example)
            for source in sorted({e.source for e in examples})
            for example in sample(
                [e for e in examples if e.source == source and is_sentence(e)], most(SENTENCES)
            )
        ],
    )


def tells(example: Example, speaker: str) -> bool:
    """Whether it is known and long enough to be heard that a man, a woman or a child speaks."""
    return example.speaker == speaker and example.seconds >= SHORTEST_SPEECH


def is_sentence(example: Example) -> bool:
    """Whether several words of English are said, and which."""
    words = (example.transcript or "").split()
    return example.kind == "speech" and example.language == "en" and len(words) >= FEWEST_WORDS


def translated(packages: Path, limit: int | None) -> Iterator[TestClip]:
    """Lines of held-out levels, `limit` of each language."""
    _, lines = split(line for line in read_fillets(packages) if line.seconds > MIN_SECONDS)
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
        speaker=example.speaker,
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


def composites(
    examples: Sequence[Example], count: int, read: Callable[[Example], TestClip]
) -> Iterator[TestClip]:
    """`count` clips of speech, a sound and music one after another, all six orders equally often.

    The parts are whole clips, scaled to one peak, with silence between them. What is no word of one part may
    be one of another: instruments are no sounds, and neither are voices. Fewer if there are too few clips.
    """
    random = Random(0)
    shortest, longest = PART_SECONDS
    whole = [example for example in examples if shortest <= example.seconds <= longest]
    speech = [e for e in whole if e.kind == "speech" and e.seconds >= SHORTEST_SPEECH]
    music = [e for e in whole if e.kind == "music" and e.label]
    sounds = [
        e for e in whole if e.kind == "sound" and e.label and not family(e.label) and not voiced(e, VOICES)
    ]
    orders = list(permutations(range(len(KINDS))))
    drawn = (random.sample(pool, min(count, len(pool))) for pool in (speech, music, sounds))
    for index, (voice, piece, sound) in enumerate(zip(*drawn, strict=False)):
        if different(piece.label or "", sound.label or ""):
            every = [read(voice), read(piece), read(sound)]
            yield joined([every[place] for place in orders[index % len(orders)]])


def joined(parts: Sequence[TestClip]) -> TestClip:
    """Clips one after another, all with the same peak, as one clip."""
    pause = torch.zeros(int(BETWEEN_PARTS * SAMPLE_RATE))
    pieces = [pause]
    for part in parts:
        peak = part.waveform.abs().max().clamp_min(1e-4)
        pieces += [part.waveform * PART_PEAK / peak, pause]
    return TestClip(
        name=", then ".join(part.name for part in parts),
        kinds=frozenset().union(*(part.kinds for part in parts)),
        waveform=torch.cat(pieces[1:-1]),
        parts=tuple(parts),
    )


def voiced(clip: TestClip | Example, voices: Collection[str] = VOICED) -> bool:
    """Whether a label says that a voice may be heard in the clip."""
    return bool(set(voices) & set(label_words(clip.label or "")))


def silent(count: int) -> Iterator[TestClip]:
    """Digital silence, faint noise or hum, by seeds that training does not use."""
    for seed in range(FIRST_SILENT_SEED, FIRST_SILENT_SEED + count):
        yield TestClip(f"nothing, seed {seed}", frozenset(), nothing(seed))
