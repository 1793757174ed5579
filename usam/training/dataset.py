"""From labelled clips to what the two stages draw: held-out split, targets, pools."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from usam.encoders import YAMNet
from usam.training.alignment import AlignmentItem, Pool
from usam.training.corpora import Example, label_words, read_corpus, read_synthesis, split
from usam.training.features import FeatureCache
from usam.training.silence import write_silence
from usam.training.sounds import read_packages
from usam.training.targets import KIND_WORDS, Targets, WordPieces
from usam.training.teacher import heard_words

SILENCES = 240
HELD_SILENCES = 40
LONGEST = 20.0  # seconds; longer utterances cost more than they teach
LABEL_SHARE, TEACHER_SHARE, KIND_SHARE = 0.6, 0.3, 0.1


@dataclass(frozen=True)
class Data:
    """Clips to train on and clips nobody trains on."""

    train: Sequence[Example]
    heldout: Sequence[Example]


def gather(
    corpus: Path,
    work: Path,
    synthesis: Path | None,
    packages: Path | None,
    transcripts: Mapping[str, str],
    also_heldout: Sequence[str],
) -> Data:
    """Read every source, keep the held-out part apart, and fill in transcripts a teacher gave."""
    train, heldout = split(read_corpus(corpus), also_heldout)
    silences = list(write_silence(work / "silence", SILENCES))
    train = [replace(e, transcript=e.transcript or transcripts.get(e.name) or None) for e in train]
    if synthesis is not None:
        train += read_synthesis(synthesis)
    if packages is not None:
        train += read_packages(packages)
    train = [example for example in train + silences[HELD_SILENCES:] if example.seconds <= LONGEST]
    return Data(train, heldout + silences[:HELD_SILENCES])


def make_targets(pieces: WordPieces, examples: Sequence[Example], yamnet: YAMNet) -> Targets:
    """The anchor's vocabulary: pieces of the transcripts, words of the labels and of YAMNet's classes."""
    words = set(KIND_WORDS.values())
    for label in [e.label for e in examples if e.label and e.kind != "speech"] + list(yamnet.classes):
        words.update(label_words(label))
    return Targets.collect(pieces, (e.transcript for e in examples if e.transcript), sorted(words))


def alignment_item(
    example: Example, targets: Targets, cache: FeatureCache, yamnet: YAMNet
) -> AlignmentItem | None:
    """The clip with its target, or None if nothing is known of it."""
    if example.source == "silence":
        return AlignmentItem(example, targets.words({}), sequence=False)
    if example.kind == "speech":
        classes = targets.transcript(example.transcript) if example.transcript else torch.zeros(0)
        return AlignmentItem(example, classes, sequence=True) if len(classes) else None
    label = label_words(example.label or "")
    if not label:
        return None
    heard = heard_words(yamnet, cache.streams(example)[yamnet.name])
    total = sum(heard.values()) or 1.0
    weights: dict[str, float] = {KIND_WORDS[example.kind]: KIND_SHARE}
    for word in label:
        weights[word] = weights.get(word, 0.0) + LABEL_SHARE / len(label)
    for word, score in heard.items():
        weights[word] = weights.get(word, 0.0) + TEACHER_SHARE * score / total
    return AlignmentItem(example, targets.words(weights), sequence=False)


def make_pools(items: Iterable[AlignmentItem], shares: Mapping[str, float]) -> list[Pool]:
    """One pool for recorded speech, synthetic speech, sound, music and silence, drawn in these shares."""
    groups: dict[str, list[AlignmentItem]] = {name: [] for name in shares}
    for item in items:
        example = item.example
        name = example.source if example.source in ("silence", "synthesis") else example.kind
        groups[name].append(item)
    return [Pool(groups[name], share) for name, share in shares.items()]
