"""From labelled clips to what the two stages draw: held-out split, targets, pools."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from usam.data.corpus import Example, read_corpus, read_synthesis
from usam.data.debian_sounds import read_packages
from usam.data.derived.concatenation import write_joined
from usam.data.derived.mixtures import write_mixtures
from usam.data.derived.silence import write_silence
from usam.data.derived.views import write_views
from usam.data.frame_cache import FrameCache
from usam.data.splits import split
from usam.data.synthetic.instruments import read_rendered
from usam.encoders import YAMNet
from usam.encoders.heads.name_words import label_words
from usam.training.stages.batches import AlignmentItem, Pool
from usam.training.stages.losses import tokens_needed
from usam.training.targets.pseudo_labels import SoundTeacher, short_name
from usam.training.targets.word_targets import KIND_WORDS, Targets, WordPieces

SILENCES = 240
HELD_SILENCES = 40
MIXTURES = 2400  # at most, and no more than a third of the clips
JOINED = 800  # likewise, and no more than an eighth
LONGEST = 20.0  # seconds; longer utterances cost more than they teach


@dataclass(frozen=True)
class Data:
    """Clips to train on and clips nobody trains on."""

    train: Sequence[Example]
    heldout: Sequence[Example]


@dataclass(frozen=True)
class Sources:
    """Folders of labelled audio: the corpus, and what may be added to it for training.

    derived: whether views, mixtures and rows of utterances are made from the clips.
    """

    corpus: Path
    synthesis: Path | None = None
    packages: Path | None = None
    rendered: Path | None = None
    derived: bool = True


def gather(sources: Sources, work: Path, transcripts: Mapping[str, str], also_heldout: Sequence[str]) -> Data:
    """Read every source, keep the held-out part apart, and fill in transcripts a teacher gave."""
    train, heldout = split(read_corpus(sources.corpus), also_heldout)
    silences = list(write_silence(work / "silence", SILENCES))
    train = [replace(e, transcript=e.transcript or transcripts.get(e.name) or None) for e in train]
    if sources.derived:
        mixtures = list(write_mixtures(work / "mixtures", train, min(MIXTURES, len(train) // 3), seed=0))
        train += [*write_views(work / "views", train, seed=0), *mixtures]
    if sources.synthesis is not None:
        train += read_synthesis(sources.synthesis)
    if sources.derived:
        train += write_joined(work / "joined", train, min(JOINED, len(train) // 8), seed=0)
    if sources.packages is not None:
        train += read_packages(sources.packages)
    if sources.rendered is not None:
        train += read_rendered(sources.rendered)
    train = [example for example in train + silences[HELD_SILENCES:] if example.seconds <= LONGEST]
    return Data(train, heldout + silences[:HELD_SILENCES])


def make_targets(pieces: WordPieces, examples: Sequence[Example], yamnet: YAMNet) -> Targets:
    """The anchor's vocabulary: pieces of the transcripts, words of the labels and of YAMNet's classes."""
    words = set(KIND_WORDS.values())
    names = [short_name(name) for name in yamnet.classes]
    for label in [e.label for e in examples if e.label and e.kind != "speech"] + names:
        words.update(label_words(label))
    return Targets.collect(pieces, (e.transcript for e in examples if e.transcript), sorted(words))


def alignment_items(
    examples: Iterable[Example],
    targets: Targets,
    cache: FrameCache,
    teacher: SoundTeacher,
    frames_per_token: int,
    report: Callable[[str], None] = print,
) -> list[AlignmentItem]:
    """The clips of which something is known, and whose audio tokens are enough for their transcript."""
    items, crowded = [], 0
    for example in examples:
        item = alignment_item(example, targets, cache, teacher)
        if item is None:
            continue
        tokens = -(-cache.frame_count(example) // frames_per_token)
        if item.classes is not None and tokens_needed(item.classes) > tokens:
            crowded += 1
        else:
            items.append(item)
    if crowded:
        report(f"{crowded} clips are left out: their transcripts have more word pieces than audio tokens")
    return items


def alignment_item(
    example: Example, targets: Targets, cache: FrameCache, teacher: SoundTeacher
) -> AlignmentItem | None:
    """The clip with its target, or None if nothing is known of it."""
    if example.kind == "speech":
        classes = targets.transcript(example.transcript) if example.transcript else torch.zeros(0)
        if example.background is not None:
            # Heard before and after the words, or the tokens would tell of the voice alone.
            behind = targets.transcript(KIND_WORDS[example.background])
            classes = torch.cat([behind, classes, behind])
        return AlignmentItem(example, classes) if len(classes) else None
    if example.source == "silence":
        return AlignmentItem(example)
    heard = teacher.names(cache.streams(example)[teacher.yamnet.name])
    label = label_words(example.label or " ".join(heard[:1]))
    if not label:
        return None
    return AlignmentItem(example, label=label, heard=heard)


def make_pools(items: Iterable[AlignmentItem], shares: Mapping[str, float]) -> list[Pool]:
    """A pool for each name in `shares`: a source of its own (silence, synthesis, ...) or a kind of audio.

    Speech is drawn evenly; of sounds and music a label with many clips is drawn less often a clip.
    """
    groups: dict[str, list[AlignmentItem]] = {name: [] for name in shares}
    for item in items:
        example = item.example
        groups[example.source if example.source in shares else example.kind].append(item)
    return [Pool(group, shares[name], evened(group)) for name, group in groups.items()]


def evened(items: Sequence[AlignmentItem]) -> list[float]:
    """Weights of the clips, each the inverse root of how many share its label's last word."""
    heads = [item.label[-1] if item.label else "" for item in items]
    counts = Counter(heads)
    return [counts[head] ** -0.5 for head in heads]
